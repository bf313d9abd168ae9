"""The figures of a study: scores, differences from the baselines, cost and source of its results."""

from dataclasses import replace
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from .grid import RAW, REFERENCES, SUPERVISED
from .results import ALL, EACH, Result
from .statistics import Runs, agreement, estimate, group_runs, outcomes

#: (encoder, method, data set) -> runs.
Groups = Mapping[Tuple[str, str, str], Runs]
#: Stands for the mean over all data sets, beside their names.
MEAN = 'mean'


def study_figures(results: Sequence[Result], layout: Mapping, draws: int = 10_000) -> Dict[str, Any]:
    """All figures of a study, as can be written as JSON.

    Args:
        results: Results of its runs, those of folds not yet joined.
        layout: What is shown, in this order: ``dict(encoders={name: dict(title,
            baseline, methods={name: title})}, data={name: title})``.
        draws: Draws of each bootstrap.

    Returns:
        A dictionary of four parts:

        - ``scores``: a row for each ``encoder``, ``method``, ``data``,
          ``protocol`` and ``stream`` of which there are results. ``accuracy`` and
          ``difference`` (from the encoder's baseline, in percentage points) are
          the fields of :class:`~i2md_mmaction.study.statistics.Estimate`; the
          difference is None for the baseline, and where no seed is common. Stream
          ``'each'`` is the mean over the single streams, if there are several, whose
          :func:`~i2md_mmaction.study.statistics.agreement` stands in its row. Data
          ``'mean'`` is the mean over all data sets, of seeds that have results
          on all of them. A ceiling, measured as ``'supervised'``, stands beside
          every protocol, and raw joints, in which nothing is drawn, beside every seed.
        - ``cost``: a row for each ``encoder``, ``method`` and ``data`` with the
          least of each cost among the seeds, since whatever else a processor does
          can only add to a time.
        - ``source``: what the results name, such as a commit -> its values.
        - ``draws``: as given.

    Raises:
        ValueError: If runs to be compared were tested on other samples.

    Example:
        >>> from i2md_mmaction.study.results import pack
        >>> right = dict(knn=dict(all=pack([1, 1, 0, 0])))
        >>> layout = dict(
        ...     encoders=dict(gru=dict(title='BiGRU', baseline='moco', methods=dict(moco='MoCo v2'))),
        ...     data=dict(sbu='SBU'),
        ... )
        >>> runs = [Result('gru', 'moco', 'sbu', 0, samples=4, right=right, cost=dict(seconds=60.0))]
        >>> figures = study_figures(runs, layout)
        >>> figures['scores'][0]['accuracy']['value'], figures['scores'][0]['difference']
        (50.0, None)
        >>> figures['cost']
        [{'encoder': 'gru', 'method': 'moco', 'data': 'sbu', 'seconds': 60.0}]
    """
    methods = _methods(layout)
    shown = [run for run in results if (run.encoder, run.method) in methods and run.data in layout['data']]
    groups = _beside_every_seed(group_runs(_beside_every_protocol(results)))
    scores = list(_scores(groups, layout, draws))
    return dict(scores=scores, cost=_costs(groups, layout), source=_sources(shown), draws=draws)


def measured_methods(scores: Iterable[Tuple[str, ...]], layout: Mapping) -> Dict[str, List[str]]:
    """The methods of each encoder that were measured, in the order of the layout.

    Args:
        scores: Tuples that begin with encoder and method, of what was measured.
        layout: As in :func:`study_figures`.

    Returns:
        Encoder -> methods. An encoder of which only what its methods are seen
        against was measured is left out.

    Example:
        >>> methods = dict(untrained='untrained', moco='MoCo v2', cmd='CMD')
        >>> layout = dict(encoders=dict(gru=dict(methods=methods), gcn=dict(methods=methods)))
        >>> measured_methods([('gru', 'moco'), ('gru', 'untrained'), ('gcn', 'untrained')], layout)
        {'gru': ['untrained', 'moco']}
    """
    known = {score[:2] for score in scores}
    found = {
        encoder: [method for method in settings['methods'] if (encoder, method) in known]
        for encoder, settings in layout['encoders'].items()
    }
    return {encoder: methods for encoder, methods in found.items() if set(methods) - set(REFERENCES)}


def _beside_every_protocol(results: Sequence[Result]) -> List[Result]:
    """The results, a ceiling beside every protocol of its encoder; it has a classifier of its own."""
    protocols: Dict[str, Dict[str, None]] = {}
    for run in results:
        if run.method != SUPERVISED:
            protocols.setdefault(run.encoder, {}).update(dict.fromkeys(run.right))
    return [
        replace(
            run,
            right={
                name: run.right.get(name, run.right.get(SUPERVISED, {}))
                for name in protocols.get(run.encoder, {})
            },
        )
        if run.method == SUPERVISED
        else run
        for run in results
    ]


def _beside_every_seed(groups: Groups) -> Dict[Tuple[str, str, str], Runs]:
    """The runs, one of raw joints also beside every other seed on its data set; nothing in it is drawn."""
    seeds: Dict[Tuple[str, str], Dict[int, None]] = {}
    for (encoder, _, data), runs in groups.items():
        seeds.setdefault((encoder, data), {}).update(dict.fromkeys(runs))
    return {
        (encoder, method, data): {**dict.fromkeys(seeds[encoder, data], next(iter(runs.values()))), **runs}
        if method == RAW
        else runs
        for (encoder, method, data), runs in groups.items()
    }


def _scores(groups: Groups, layout: Mapping, draws: int) -> Iterator[Dict[str, Any]]:
    """The rows of scores."""
    columns = {**{data: [data] for data in layout['data']}, MEAN: list(layout['data'])}
    for encoder, method in _methods(layout):
        baseline = layout['encoders'][encoder]['baseline']
        for data, sets in columns.items():
            runs = [groups.get((encoder, method, name), {}) for name in sets]
            theirs = [groups.get((encoder, baseline, name), {}) for name in sets]
            for protocol, stream, names in _evaluated(runs):
                row = dict(encoder=encoder, method=method, data=data, protocol=protocol, stream=stream)
                found, more = (
                    estimate(right, draws, len(names))._asdict() if right else None
                    for right in (
                        outcomes(runs, protocol, names),
                        outcomes(runs, protocol, names, theirs) if method != baseline else [],
                    )
                )
                if stream == EACH:
                    row['agreement'] = agreement(runs, protocol, names)
                if found:
                    yield dict(row, accuracy=found, difference=more)


def _methods(layout: Mapping) -> List[Tuple[str, str]]:
    """(encoder, method) of all."""
    return [
        (encoder, method)
        for encoder, settings in layout['encoders'].items()
        for method in settings['methods']
    ]


def _evaluated(runs: Sequence[Runs]) -> Iterator[Tuple[str, str, List[str]]]:
    """(protocol, stream, names of its streams) of what any of the runs was evaluated by."""
    found: Dict[str, Dict[str, None]] = {}
    for column in runs:
        for run in column.values():
            for protocol, streams in run.right.items():
                found.setdefault(protocol, {}).update(dict.fromkeys(streams))
    for protocol, streams in found.items():
        yield from ((protocol, stream, [stream]) for stream in streams)
        single = [stream for stream in streams if stream != ALL]
        if len(single) > 1:
            yield protocol, EACH, single


def _costs(groups: Groups, layout: Mapping) -> List[Dict[str, Any]]:
    """The rows of costs."""
    rows = []
    for encoder, method in _methods(layout):
        for data in layout['data']:
            costs = [run.cost for run in groups.get((encoder, method, data), {}).values()]
            names = dict.fromkeys(name for cost in costs for name in cost)
            least = {name: min(cost[name] for cost in costs if name in cost) for name in names}
            if least:
                rows.append(dict(encoder=encoder, method=method, data=data, **least))
    return rows


def _sources(results: Sequence[Result]) -> Dict[str, List]:
    """What the results name of their origin, and each of its values once."""
    names = dict.fromkeys(name for result in results for name in result.source)
    return {
        name: sorted({result.source[name] for result in results if name in result.source}, key=str)
        for name in names
    }
