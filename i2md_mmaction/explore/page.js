// What is chosen, filtered and played, and the address that keeps it: #clip=NAME&class=NAME&search=TEXT&colour=...

const labels = [...new Set(clips.map((clip) => clip.label))].sort((a, b) => (a < 0) - (b < 0) || a - b);
const judged = clips.filter((clip) => clip.correct >= 0);
const SCHEMES = { label: 'class', correct: '1-NN', split: 'split' };
const schemes = Object.keys(SCHEMES).filter((name) => ({
  label: labels.some((label) => label >= 0), correct: judged.length > 0, split: content.splits.length > 1,
})[name]);
const LISTED = 500; // clips in the list at most
const state = {
  chosen: 0, scheme: schemes[0] || 'label', search: '', hidden: new Set(), tab: 'classes',
  playing: !matchMedia('(prefers-reduced-motion: reduce)').matches, speed: 1, phase: 0, ...FRONT,
};
const tip = { clip: null, canvas: byId('tip').querySelector('canvas') };

const shown = (clip) =>
  !state.hidden.has(clip.label) && clip.name.toLowerCase().includes(state.search.toLowerCase());
const scatter = makeScatter(byId('scatter'), {
  chosen: () => state.chosen, shown, scheme: () => state.scheme, hover: showTip,
  select, open: () => byId('player').focus(),
});
const fill = Object.fromEntries(['clips', 'suspects', 'neighbors'].map((id) => [id, makeListbox(byId(id), select)]));

// The address.

function writeAddress() {
  const address = new URLSearchParams();
  if (state.chosen >= 0) address.set('clip', clips[state.chosen].name);
  if (state.hidden.size) {
    const kept = labels.filter((label) => !state.hidden.has(label));
    (kept.length ? kept.map(className) : ['']).forEach((name) => address.append('class', name));
  }
  if (state.search) address.set('search', state.search);
  if (state.scheme !== schemes[0] && schemes.length) address.set('colour', state.scheme);
  history.replaceState(null, '', `#${address}`);
}

function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  const wanted = address.getAll('class');
  state.hidden = new Set(wanted.length ? labels.filter((label) => !wanted.includes(className(label))) : []);
  state.search = byId('query').value = address.get('search') || '';
  if (schemes.includes(address.get('colour'))) state.scheme = address.get('colour');
  const name = address.get('clip');
  state.chosen = name === null ? clips.findIndex(shown) : clips.findIndex((clip) => clip.name === name);
  byId('missing').textContent =
    name === null ? 'Choose a clip on the map or in a list.' : `No clip of this page is called ${name}.`;
  if (state.search) state.tab = 'clips';
  refresh();
  showClip();
}

// What is chosen.

function select(number) {
  state.chosen = number;
  writeAddress();
  showClip();
  const clip = clips[number];
  const verdict = clip.correct < 0 ? '' : `, nearest neighbour ${VERDICTS[clip.correct].word}`;
  byId('said').textContent = `${clip.name}, ${className(clip.label)}${verdict}`;
}

function showClip() {
  const clip = clips[state.chosen];
  byId('clip').hidden = byId('neighbors').hidden = byId('neighbors-title').hidden = !clip;
  byId('missing').hidden = Boolean(clip);
  scatter.draw();
  markChosen();
  if (!clip) return;
  state.phase = 0;
  byId('name').textContent = clip.name;
  const facts = [className(clip.label), content.splits[clip.split], `${clip.frames} frames`];
  if (clip.correct >= 0) facts.push(`1-NN ${VERDICTS[clip.correct].word}`);
  byId('facts').textContent = facts.filter(Boolean).join(' · ');
  byId('second').hidden = clip.shape[0] < 2;
  byId('player').setAttribute('aria-label', `Moving skeleton of ${clip.name}${flat ? '' : '; arrow keys turn it'}`);
  fill.neighbors(clip.neighbors.map((_, place) => neighborOption(clip, place)));
  drawPlayers();
}

function markChosen() {
  for (const line of document.querySelectorAll('#clips [role=option], #suspects [role=option]')) {
    const chosen = Number(line.dataset.clip) === state.chosen;
    line.classList.toggle('chosen', chosen);
    line.setAttribute('aria-selected', chosen);
  }
}

// What is filtered.

function refresh() {
  const numbers = clips.map((_, number) => number).filter((number) => shown(clips[number]));
  const suspects = content.suspects.filter((number) => shown(clips[number]));
  fill.clips(numbers.slice(0, LISTED).map(clipOption));
  fill.suspects(suspects.map(suspectOption));
  byId('clips-count').textContent = numbers.length.toLocaleString('en');
  byId('suspects-count').textContent = suspects.length.toLocaleString('en');
  byId('clips').hidden = !numbers.length;
  byId('clips-empty').hidden = byId('map-empty').hidden = numbers.length > 0;
  byId('clips-more').hidden = numbers.length <= LISTED;
  byId('clips-more').textContent = `${(numbers.length - LISTED).toLocaleString('en')} more; search to see them.`;
  byId('suspects').hidden = byId('suspects-note').hidden = !suspects.length;
  byId('suspects-empty').hidden = suspects.length > 0;
  for (const box of document.querySelectorAll('#classes input')) {
    box.checked = !state.hidden.has(Number(box.value));
  }
  for (const radio of document.querySelectorAll('#colours input')) radio.checked = radio.value === state.scheme;
  showTab(state.tab);
  showLegend();
  markChosen();
  scatter.draw();
}

function filter(change) {
  change();
  refresh();
  writeAddress();
}

function showTab(name) {
  state.tab = name;
  for (const tab of document.querySelectorAll('[role=tab]')) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute('aria-selected', chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute('aria-controls')).hidden = !chosen;
  }
}

// Classes have their own list; the legend has what that does not say.
function showLegend() {
  const entries = { label: [], split: content.splits.map((name, split) => [name, markerOfClass(split)]) };
  entries.correct = [1, 0, -1].filter((verdict) => clips.some((clip) => clip.correct === verdict))
    .map((verdict) => [VERDICTS[verdict].word, VERDICTS[verdict]]);
  byId('legend').replaceChildren(...entries[state.scheme].map(([text, marker]) =>
    element('li', {}, markerImage(marker), element('span', { text }))));
}

function showTip(number, x, y) {
  byId('tip').hidden = number < 0;
  tip.clip = number < 0 ? null : clips[number];
  if (number < 0) return;
  const [name, label] = byId('tip').querySelectorAll('b, span');
  const verdict = tip.clip.correct < 0 ? '' : ` ${VERDICTS[tip.clip.correct].mark}`;
  name.textContent = tip.clip.name;
  label.textContent = className(tip.clip.label) + verdict;
  const stage = byId('scatter');
  byId('tip').style.left = `${x + 166 > stage.clientWidth ? x - 164 : x + 14}px`;
  byId('tip').style.top = `${Math.max(4, Math.min(y - 60, stage.clientHeight - 200))}px`;
}

// What is played. Neighbours go through their frames in the time of the chosen clip, as an encoder sees them.

function drawPlayers() {
  const clip = clips[state.chosen];
  if (clip) {
    drawClip(byId('player'), clip, state.phase, state, 5);
    document.querySelectorAll('#neighbors [role=option]').forEach((line) =>
      drawClip(line.firstChild, clips[line.dataset.clip], state.phase, state, 2.2));
    byId('time').value = Math.round(1000 * state.phase);
    byId('frame').textContent = `${Math.round(state.phase * (clip.frames - 1)) + 1} / ${clip.frames}`;
  }
  if (tip.clip) drawClip(tip.canvas, tip.clip, state.phase, state, 3);
}

function play(playing) {
  state.playing = playing;
  byId('play').textContent = playing ? '❚❚' : '▶';
  byId('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
}

let last = null;
function tick(now) {
  const clip = clips[state.chosen] || tip.clip;
  if (state.playing && clip && last !== null) {
    const seconds = Math.min((now - last) / 1000, 0.1);
    const rate = (FRAMES_PER_SECOND * state.speed) / Math.max(clip.frames - 1, 1);
    state.phase = (state.phase + seconds * rate) % 1;
    drawPlayers();
  }
  last = now;
  requestAnimationFrame(tick);
}

function turn(yaw, tilt) {
  if (flat) return;
  state.yaw += yaw;
  state.tilt = Math.max(-85, Math.min(85, state.tilt + tilt));
  drawPlayers();
}
