// Parts of lists. All text goes through textContent, so that no name is ever read as HTML.

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function drawing(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// A marker of the map, for a line of text.
function markerImage(marker) {
  const image = drawing('svg', { class: 'marker', viewBox: '-1.4 -1.4 2.8 2.8', 'aria-hidden': 'true' });
  const filled = { fill: marker.colour }, line = { stroke: marker.colour, 'stroke-width': 0.6, fill: 'none' };
  if (marker.shape in STROKES) {
    for (const [x1, y1, x2, y2] of STROKES[marker.shape]) image.append(drawing('line', { x1, y1, x2, y2, ...line }));
  } else if (marker.shape in OUTLINES) {
    image.append(drawing('polygon', { points: OUTLINES[marker.shape].join(' '), ...filled }));
  } else {
    image.append(drawing('circle', { r: 1, ...(marker.shape === 'ring' ? line : filled) }));
  }
  return image;
}

const className = (label) => (label < 0 ? 'no label' : content.classes[label]);

// A mark that a screen reader says in words.
function verdictImage(verdict, what) {
  const { mark, name, word } = VERDICTS[verdict];
  return element('span', { class: `mark ${name}`, text: mark, role: 'img', 'aria-label': `${what} ${word}` });
}

// Lets the keys go through a listbox: arrows move, Enter opens. `open` is told the number of the clip.
function makeListbox(list, open) {
  let active = -1;
  function activate(place) {
    const options = list.children;
    active = Math.max(0, Math.min(options.length - 1, place));
    for (const option of options) option.classList.remove('active');
    if (!options.length) return;
    options[active].classList.add('active');
    list.setAttribute('aria-activedescendant', options[active].id);
    options[active].scrollIntoView({ block: 'nearest' });
  }
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
  list.addEventListener('keydown', (event) => {
    if (event.key in moves) activate(active + moves[event.key]);
    else if (event.key === 'Enter' && list.children[active]) open(Number(list.children[active].dataset.clip));
    else return;
    event.preventDefault();
  });
  list.addEventListener('focus', () => activate(Math.max(active, 0)));
  list.addEventListener('click', (event) => {
    const option = event.target.closest('[role=option]');
    if (!option) return;
    active = [...list.children].indexOf(option);
    open(Number(option.dataset.clip));
  });
  // Puts other options into the list.
  return (options) => {
    options.forEach((option, place) => { option.id = `${list.id}-${place}`; });
    list.replaceChildren(...options);
    list.removeAttribute('aria-activedescendant');
    active = -1;
  };
}

function option(number, ...children) {
  return element('li', { role: 'option', 'data-clip': number, 'aria-selected': 'false' }, ...children);
}

// One line of the list of clips.
function clipOption(number) {
  const clip = clips[number];
  const parts = [markerImage(markerOf(clip, 'label'))];
  parts.push(element('span', { class: 'two' },
    element('span', { text: clip.name }), element('span', { text: className(clip.label) })));
  if (clip.correct >= 0) parts.push(verdictImage(clip.correct, 'nearest neighbour'));
  return option(number, ...parts);
}

// One line of the list of likely label errors.
function suspectOption(number) {
  const clip = clips[number], other = className(clips[clip.neighbors[0]].label);
  return option(number, markerImage(markerOf(clip, 'label')), element('span', { class: 'two' },
    element('span', { text: clip.name }),
    element('span', { text: `${className(clip.label)} → ${other}`, title: `${className(clip.label)} → ${other}`,
      'aria-label': `labelled ${className(clip.label)}, neighbours ${other}` })),
  element('span', { class: 'note', text: mean(clip.cosines).toFixed(2), title: 'mean similarity of the neighbours' }));
}

// A neighbour of a clip, with a canvas on which it moves.
function neighborOption(clip, place) {
  const number = clip.neighbors[place], neighbor = clips[number];
  const judged = clip.label >= 0 && neighbor.label >= 0;
  const verdict = judged ? Number(neighbor.label === clip.label) : -1;
  const made = option(number, element('canvas', { 'aria-hidden': 'true' }),
    element('span', { class: 'two' },
      element('span', { text: neighbor.name, title: neighbor.name }),
      element('span', { text: className(neighbor.label) })),
    element('span', { class: 'cosine', text: clip.cosines[place].toFixed(3), title: 'cosine similarity' }));
  if (judged) {
    made.append(verdictImage(verdict, 'label'));
    made.classList.add(VERDICTS[verdict].name);
  }
  return made;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// How many clips a class has, and how many percent of those judged have a right nearest neighbour.
function tally(label) {
  const members = clips.filter((clip) => clip.label === label);
  const judged = members.filter((clip) => clip.correct >= 0);
  const right = judged.filter((clip) => clip.correct === 1).length;
  return { count: members.length, percent: judged.length ? Math.round((100 * right) / judged.length) : null };
}
