#!/usr/bin/env bash
# Everything that only a GPU can show, a part for each call; figures go to $OUT (work_dirs/gpu by default).
#   bash tools/gpu_check.sh smoke   # every method, small: trained, resumed, compiled, evaluated: a minute or two
#   bash tools/gpu_check.sh bench   # steps beside the plain reference, growth, BiGRU: some minutes
#   bash tools/gpu_check.sh value   # I2MD on NW-UCLA, float32 eager against bfloat16 compiled, three seeds
#   bash tools/gpu_check.sh train   # MoCo, CMD and I2MD on NW-UCLA, full size, three seeds
# $I2MD_DATA is the folder of nw_ucla_3d.pkl. Wheels in .whl/ are installed into a folder of their own
# first, without dependencies. EPOCHS, SEEDS, CONFIGS and DEVICE make the same script small.
set -euo pipefail
cd "$(dirname "$0")/.."
part=${1:?'smoke, bench, value or train'}
out=${OUT:-work_dirs/gpu}
mkdir -p "$out"
if compgen -G '.whl/*.whl' >/dev/null; then
    site=$(mktemp -d)
    python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target "$site" .whl/*.whl
    export PYTHONPATH=$site:${PYTHONPATH:-}
fi
export PYTHONPATH=$PWD:${PYTHONPATH:-} PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore
train=$(python3 -c 'import i2md_mmaction, mmaction; print(mmaction.__path__[0])')/.mim/tools/train.py
device=${DEVICE:-cuda}
log=$out/$part.log

bench() {  # name, then the arguments of tools/benchmark/benchmark.py
    echo "== ${*:2}"
    python3 tools/benchmark/benchmark.py "${@:2}" --device "$device" --json "$out/$1.json" 2>>"$log" || echo "failed, see $log"
}

run() {  # name, config, seed, options
    python3 "$train" "configs/$2.py" --seed "$3" --work-dir "work_dirs/gpu_runs/$1" --cfg-options \
        default_hooks.checkpoint.interval=100000 ${EPOCHS:+train_cfg.max_epochs=$EPOCHS} "${@:4}" >>"$log" 2>&1 ||
        echo "$1 failed, see $log"
}

case $part in
smoke)  # two epochs of each method beside one another, then what goes on from them
    small=_nwucla_small
    for method in moco mcl crossclr_bigru cmd i2md skeletonclr aimclr; do
        run "$method" "$method$small" 0 train_cfg.max_epochs=2 &
    done
    wait
    run i2md i2md$small 0 train_cfg.max_epochs=3 resume=True &
    run i2md_again i2md$small 0 train_cfg.max_epochs=3 &
    run i2md_bfloat16 i2md$small 0 train_cfg.max_epochs=2 optim_wrapper.type=BFloat16OptimWrapper &
    run i2md_compiled i2md$small 0 train_cfg.max_epochs=2 model.compiled=True &
    wait
    python3 tools/evaluate.py work_dirs/gpu_runs/i2md/epoch_3.pth --config configs/i2md$small.py \
        --protocols knn linear_cached linear --epochs 2 --out work_dirs/gpu_evaluation 2>>"$log" ||
        echo "evaluation failed, see $log"
    ;;
bench)
    for config in ${CONFIGS:-i2md_ntu60 cmd_ntu60 aimclr_ntu60}; do
        bench "$config" step "configs/$config.py" --repeats "${REPEATS:-10}"
        case $config in cmd* | moco* | mcl* | *bigru*) continue ;; esac
        bench "${config}_compiled" step "configs/$config.py" --compile --no-plain --repeats "${REPEATS:-10}"
    done
    bench bigru bigru ${HIDDEN:+--hidden $HIDDEN}
    first=${CONFIGS:-i2md_ntu60}
    bench growth growth "configs/${first%% *}.py" --repeats 3
    ;;
value)
    config=${CONFIGS:-i2md_nwucla}
    for seed in ${SEEDS:-0 1 2}; do  # the runs of a seed beside one another
        run "float32_$seed" "$config" "$seed" optim_wrapper.type=OptimWrapper &
        run "bfloat16_compiled_$seed" "$config" "$seed" optim_wrapper.type=BFloat16OptimWrapper model.compiled=True &
        wait
    done
    ;;
train)
    for config in ${CONFIGS:-moco_nwucla cmd_nwucla i2md_nwucla}; do
        for seed in ${SEEDS:-0 1 2}; do
            run "${config}_$seed" "$config" "$seed" &
        done
        wait
    done
    ;;
esac
if [ "$part" != bench ]; then
    python3 tools/compare_runs.py work_dirs/gpu_runs/* 2>>"$log" | tee "$out/$part.md"
fi
