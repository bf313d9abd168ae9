// Fills the page once and listens to it.

function fillClasses() {
  byId('classes').replaceChildren(...labels.map((label) => {
    const { count, percent } = tally(label);
    const box = element('input', { type: 'checkbox', value: label, onchange: () => filter(() => {
      if (box.checked) state.hidden.delete(label);
      else state.hidden.add(label);
    }) });
    const only = element('button', { class: 'only', text: 'only', 'aria-label': `only ${className(label)}`,
      onclick: () => filter(() => { state.hidden = new Set(labels.filter((other) => other !== label)); }) });
    return element('li', {},
      element('label', {}, box, markerImage(markerOf({ label }, 'label')),
        element('span', { class: 'grow', text: className(label), title: className(label) })),
      only, element('span', { class: 'number', text: count }),
      element('span', { class: 'number', text: percent === null ? '' : `${percent} %` }));
  }));
  const labelled = labels.some((label) => label >= 0);
  byId('classes').hidden = document.querySelector('#panel-classes .bar').hidden = !labelled;
  byId('classes-empty').hidden = labelled;
  byId('classes-all').onclick = () => filter(() => state.hidden.clear());
  byId('classes-none').onclick = () => filter(() => { state.hidden = new Set(labels); });
}

function fillTexts() {
  const drawn = content.available > clips.length ? ` of ${content.available.toLocaleString('en')}` : '';
  const parts = [`${clips.length.toLocaleString('en')}${drawn} clips`];
  if (content.classes.length) parts.push(`${labels.filter((label) => label >= 0).length} classes`);
  const right = judged.filter((clip) => clip.correct === 1).length;
  if (judged.length) {
    parts.push(`the nearest other clip has the same label for ${(100 * right / judged.length).toFixed(1)} %`);
  }
  byId('summary').textContent = parts.join(' · ');
  byId('suspects-note').textContent =
    `Their ${content.k} nearest neighbours all have one other label. The likeliest come first.`;
  byId('suspects-empty').textContent = judged.length
    ? `No clip that passes the filter has ${content.k} nearest neighbours that agree on another label.`
    : 'Label errors are found where clips have labels.';
  byId('about').replaceChildren(...content.about.flatMap(([term, text]) =>
    [element('dt', { text: term }), element('dd', { text })]));
  byId('scatter').setAttribute('aria-label',
    `Map of ${clips.length} clips. Arrow keys go from clip to clip, Enter goes to the skeleton, plus and minus zoom.`);
  byId('colours').hidden = schemes.length < 2;
  byId('colours').append(...schemes.map((name) => element('label', {},
    element('input', { type: 'radio', name: 'colour', value: name,
      onchange: () => filter(() => { state.scheme = name; }) }),
    element('span', { text: SCHEMES[name] }))));
  byId('front').hidden = flat;
  byId('player').classList.toggle('flat', flat);
}

function listenToTabs() {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  tabs.forEach((tab, place) => {
    tab.onclick = () => showTab(tab.id.slice('tab-'.length));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step) % tabs.length];
      next.click();
      next.focus();
      event.preventDefault();
    });
  });
}

function listenToPlayer() {
  const player = byId('player');
  byId('play').onclick = () => play(!state.playing);
  byId('time').oninput = (event) => {
    play(false);
    state.phase = event.target.value / 1000;
    drawPlayers();
  };
  byId('speed').onchange = (event) => { state.speed = Number(event.target.value); };
  byId('front').onclick = () => turn(FRONT.yaw - state.yaw, FRONT.tilt - state.tilt);
  let from = null;
  player.addEventListener('pointerdown', (event) => {
    player.setPointerCapture(event.pointerId);
    from = [event.clientX, event.clientY];
  });
  player.addEventListener('pointermove', (event) => {
    if (!from) return;
    turn((event.clientX - from[0]) * 0.6, (event.clientY - from[1]) * 0.4);
    from = [event.clientX, event.clientY];
  });
  for (const end of ['pointerup', 'pointercancel']) player.addEventListener(end, () => { from = null; });
  const turns = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] };
  player.addEventListener('keydown', (event) => {
    if (!(event.key in turns)) return;
    turn(...turns[event.key]);
    event.preventDefault();
  });
}

function listenToKeys() {
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest('input, select, button');
    if (event.key === ' ' && !typing) play(!state.playing);
    else if (event.key === '/' && event.target !== byId('query')) byId('query').focus();
    else return;
    event.preventDefault();
  });
}

fillTexts();
fillClasses();
listenToTabs();
listenToPlayer();
listenToKeys();
byId('query').oninput = (event) => filter(() => {
  state.search = event.target.value;
  state.tab = 'clips';
});
byId('zoom-in').onclick = () => scatter.enlarge(1.4);
byId('zoom-out').onclick = () => scatter.enlarge(1 / 1.4);
byId('zoom-reset').onclick = () => scatter.enlarge(0);
for (const button of document.querySelectorAll('.reset')) {
  button.onclick = () => filter(() => {
    state.hidden.clear();
    state.search = byId('query').value = '';
  });
}
new ResizeObserver(() => { scatter.draw(); drawPlayers(); }).observe(byId('scatter'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { refresh(); drawPlayers(); });
addEventListener('hashchange', readAddress);
play(state.playing);
readAddress();
requestAnimationFrame(tick);
