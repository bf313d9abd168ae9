// The map: markers on a canvas, and what the pointer and the keys do there.

// Neighbours in the list of classes differ in colour and in shape: ten of the one and seven of the other.
const PALETTE = [
  '#4674d8', '#e08214', '#d6453d', '#2f9e8f', '#7a9a01', '#b650a4', '#a06a43', '#5aa7d8', '#c99700', '#84878f',
];
const SHAPES = ['circle', 'square', 'up', 'diamond', 'down', 'plus', 'cross'];
const OUTLINES = {
  square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  up: [[0, -1.1], [1.05, 0.75], [-1.05, 0.75]],
  diamond: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
  down: [[0, 1.1], [-1.05, -0.75], [1.05, -0.75]],
};
const STROKES = {
  plus: [[-1.1, 0, 1.1, 0], [0, -1.1, 0, 1.1]],
  cross: [[-0.9, -0.9, 0.9, 0.9], [-0.9, 0.9, 0.9, -0.9]],
};

// How a clip is marked under each way to colour the map.
function markerOf(clip, scheme) {
  if (scheme === 'correct') return VERDICTS[clip.correct];
  const number = scheme === 'split' ? clip.split : clip.label;
  return number < 0 ? { shape: 'ring', colour: colour('soft') } : markerOfClass(number);
}

function markerOfClass(number) {
  return { shape: SHAPES[number % SHAPES.length], colour: PALETTE[number % PALETTE.length] };
}

const VERDICTS = {
  1: { shape: 'circle', colour: '#6b9bd8', word: 'right', mark: '✓', name: 'right' },
  0: { shape: 'cross', colour: '#d6453d', word: 'wrong', mark: '✗', name: 'wrong' },
  '-1': { shape: 'ring', colour: '#8a8f98', word: 'not judged, for want of a label', mark: '–', name: 'unknown' },
};

function drawMarker(context, x, y, size, marker) {
  context.beginPath();
  if (marker.shape in STROKES) {
    for (const [fromX, fromY, toX, toY] of STROKES[marker.shape]) {
      context.moveTo(x + size * fromX, y + size * fromY);
      context.lineTo(x + size * toX, y + size * toY);
    }
  } else if (marker.shape in OUTLINES) {
    OUTLINES[marker.shape].forEach(([dx, dy]) => context.lineTo(x + size * dx, y + size * dy));
    context.closePath();
  } else {
    context.arc(x, y, size, 0, 2 * Math.PI);
  }
  const open = marker.shape in STROKES || marker.shape === 'ring';
  if (open) {
    context.strokeStyle = marker.colour;
    context.lineWidth = size * 0.55;
    context.stroke();
  } else {
    context.fillStyle = marker.colour;
    context.fill();
  }
}

// Makes the map. `chosen` gives the selected clip, `shown` whether a clip passes the filters, and `scheme` how it is
// coloured; `hover` and `select` are told numbers of clips, -1 for none, and `open` that the chosen one is meant.
function makeScatter(canvas, { chosen, shown, scheme, hover, select, open }) {
  let zoom = 1, shift = [0, 0], drag = null, hovered = -1;
  const low = [0, 1].map((axis) => clips.reduce((least, clip) => Math.min(least, clip.point[axis]), Infinity));
  const high = [0, 1].map((axis) => clips.reduce((most, clip) => Math.max(most, clip.point[axis]), -Infinity));

  function place(clip) {
    const sizes = [canvas.clientWidth, canvas.clientHeight];
    const units = sizes.map((size, axis) => (size - 48) / (high[axis] - low[axis] || 1));
    // The axes of a t-SNE mean nothing, so that one may be stretched a little to fill the map.
    const most = 1.5 * Math.min(...units);
    return sizes.map((size, axis) => {
      const value = (clip.point[axis] - (low[axis] + high[axis]) / 2) * (axis ? -1 : 1);
      return size / 2 + (value * Math.min(units[axis], most) + shift[axis]) * zoom;
    });
  }

  function draw() {
    const { context, width, height } = prepare(canvas);
    const size = Math.max(2.2, Math.min(4.6, 4.6 - (clips.length - 300) / 1400)) * Math.sqrt(zoom);
    const faint = { shape: 'circle', colour: colour('faint') };
    context.globalAlpha = 0.35;
    for (const clip of clips.filter((one) => !shown(one))) {
      const [x, y] = place(clip);
      drawMarker(context, x, y, 1.3, faint);
    }
    context.globalAlpha = 0.85;
    for (const clip of clips.filter(shown)) {
      const [x, y] = place(clip);
      const visible = x > -9 && y > -9 && x < width + 9 && y < height + 9;
      if (visible) drawMarker(context, x, y, size, markerOf(clip, scheme()));
    }
    context.globalAlpha = 1;
    drawChosen(context, size);
  }

  // The selected clip has a ring, and thin lines to its neighbours.
  function drawChosen(context, size) {
    if (chosen() < 0) return;
    const clip = clips[chosen()], [x, y] = place(clip);
    context.strokeStyle = colour('text');
    context.lineWidth = 0.8;
    for (const neighbor of clip.neighbors) {
      const [toX, toY] = place(clips[neighbor]);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(toX, toY);
      context.stroke();
    }
    for (const number of [...clip.neighbors, chosen()]) {
      const [atX, atY] = place(clips[number]);
      drawMarker(context, atX, atY, size, markerOf(clips[number], scheme()));
    }
    context.strokeStyle = colour('text');
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, size + 4, 0, 2 * Math.PI);
    context.stroke();
  }

  function nearest(x, y, reach) {
    let best = -1, least = reach;
    clips.forEach((clip, number) => {
      const [atX, atY] = place(clip), distance = Math.hypot(atX - x, atY - y);
      if (distance < least && shown(clip)) [best, least] = [number, distance];
    });
    return best;
  }

  // The nearest clip in a direction, within 45 degrees of it or else in that half of the map.
  function step(dx, dy) {
    const from = chosen() < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : place(clips[chosen()]);
    let best = -1, least = Infinity;
    clips.forEach((clip, number) => {
      const [x, y] = place(clip), along = (x - from[0]) * dx + (y - from[1]) * dy;
      const aside = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx);
      if (along <= 0.01 || number === chosen() || !shown(clip)) return;
      const distance = Math.hypot(along, aside) + (aside > along ? 1e4 : 0);
      if (distance < least) [best, least] = [number, distance];
    });
    if (best >= 0) select(best);
  }

  function enlarge(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const before = zoom;
    zoom = Math.min(40, Math.max(1, zoom * factor));
    const away = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
    shift = zoom === 1 ? [0, 0] : shift.map((value, axis) => value + away[axis] / zoom - away[axis] / before);
    draw();
  }

  function show(number, x, y) {
    if (number !== hovered || number >= 0) hover(number, x, y);
    hovered = number;
    canvas.style.cursor = drag && drag.moved ? 'grabbing' : number >= 0 ? 'pointer' : 'crosshair';
  }

  canvas.addEventListener('pointerdown', (event) => {
    drag = { x: event.offsetX, y: event.offsetY, shift, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const [x, y] = [event.offsetX, event.offsetY];
    if (drag && (drag.moved || Math.hypot(x - drag.x, y - drag.y) > 4)) {
      drag.moved = true;
      if (zoom > 1) shift = [drag.shift[0] + (x - drag.x) / zoom, drag.shift[1] + (y - drag.y) / zoom];
      draw();
    }
    show(drag && drag.moved ? -1 : nearest(x, y, 12), x, y);
  });
  canvas.addEventListener('pointerup', (event) => {
    const number = nearest(event.offsetX, event.offsetY, 16);
    if (drag && !drag.moved && number >= 0) select(number);
    drag = null;
  });
  canvas.addEventListener('pointercancel', () => { drag = null; }); // a finger that scrolls the page
  canvas.addEventListener('pointerleave', () => show(-1));
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    enlarge(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
  }, { passive: false });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const zooms = { '+': 1.4, '=': 1.4, '-': 1 / 1.4, 0: 0 };
  canvas.addEventListener('keydown', (event) => {
    if (event.key in steps) step(...steps[event.key]);
    else if (event.key in zooms) enlarge(zooms[event.key]);
    else if (event.key === 'Enter' && chosen() >= 0) open();
    else return;
    event.preventDefault();
  });
  return { draw, enlarge, place };
}
