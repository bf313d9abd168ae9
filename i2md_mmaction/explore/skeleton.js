// Clips as moving skeletons. Content comes from make_content of this package.

const content = JSON.parse(document.getElementById('content').textContent);
const clips = content.clips;
const FRAMES_PER_SECOND = 30; // of a recording, at speed 1
const flat = content.layout.axes.length === 2;
const anchors = new Set(content.layout.anchors);
// Degrees; a little from the side, so that depth is seen.
const FRONT = flat ? { yaw: 0, tilt: 0 } : { yaw: 28, tilt: 8 };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Joints of a clip (persons, frames, joints, 3): across, up and towards the viewer; NaN where nothing is seen.
function decode(clip) {
  if (clip.values) return clip;
  const bytes = atob(clip.joints);
  const [persons, frames, joints, coordinates] = clip.shape;
  const values = new Float32Array(persons * frames * joints * 3);
  const point = new Array(coordinates);
  for (let place = 0; place < persons * frames * joints; place++) {
    let seen = anchors.has(place % joints);
    for (let axis = 0; axis < coordinates; axis++) {
      const at = 2 * (place * coordinates + axis);
      const integer = ((bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8)) << 16) >> 16;
      point[axis] = integer * clip.step;
      seen = seen || integer !== 0;
    }
    for (let axis = 0; axis < 3; axis++) {
      const row = content.layout.axes[axis];
      const value = row ? row.reduce((sum, weight, i) => sum + weight * point[i], 0) : 0;
      values[3 * place + axis] = seen ? value : NaN;
    }
  }
  hideAbsent(values, persons * frames, joints);
  clip.values = values;
  clip.box = boundingBox(values);
  clip.turned = flat ? 0 : sideBySide(clip);
  return clip;
}

// A person of whom only joints in the origin are left is not there in that frame.
function hideAbsent(values, poses, joints) {
  for (let pose = 0; pose < poses; pose++) {
    let there = false;
    for (let joint = 0; joint < joints; joint++) {
      there = there || (!anchors.has(joint) && !Number.isNaN(values[3 * (pose * joints + joint)]));
    }
    if (!there) values.fill(NaN, 3 * pose * joints, 3 * (pose + 1) * joints);
  }
}

// The turn, in radians, after which the second of two persons is on the right; 0 for one alone.
function sideBySide(clip) {
  const [persons, frames, joints] = clip.shape, apart = [0, 0];
  for (let place = 0; persons > 1 && place < 3 * frames * joints; place += 3) {
    const other = place + 3 * frames * joints;
    if (Number.isNaN(clip.values[place]) || Number.isNaN(clip.values[other])) continue;
    apart[0] += clip.values[other] - clip.values[place];
    apart[1] += clip.values[other + 2] - clip.values[place + 2];
  }
  return Math.atan2(apart[1], apart[0]);
}

// Middle of all that is seen, and its reach: up, and across under any turn.
function boundingBox(values) {
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low[i % 3]) low[i % 3] = values[i];
    if (values[i] > high[i % 3]) high[i % 3] = values[i];
  }
  const middle = low.map((value, axis) => (Number.isFinite(value) ? (value + high[axis]) / 2 : 0));
  let wide = 1e-9;
  for (let i = 0; i < values.length; i += 3) {
    const reach = Math.hypot(values[i] - middle[0], values[i + 2] - middle[2]);
    if (reach > wide) wide = reach;
  }
  return { middle, wide, high: Math.max((high[1] - low[1]) / 2 || 0, 1e-9) };
}

// Position of a phase between 0 and 1 among the frames kept.
function pose(clip, person, joint, phase) {
  const [, frames, joints] = clip.shape;
  const place = phase * (frames - 1), first = Math.min(Math.floor(place), Math.max(frames - 2, 0));
  const weight = frames > 1 ? place - first : 0;
  const at = 3 * ((person * frames + first) * joints + joint);
  const next = frames > 1 ? at + 3 * joints : at;
  const values = clip.values;
  if (Number.isNaN(values[at]) || Number.isNaN(values[next])) {
    const near = weight < 0.5 ? at : next;
    return [values[near], values[near + 1], values[near + 2]];
  }
  return [0, 1, 2].map((axis) => values[at + axis] * (1 - weight) + values[next + axis] * weight);
}

// Fits the pixels of a canvas to its size on the screen; gives its context, in CSS pixels, and its size.
function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// Where joints are on a canvas of that size.
function projector(clip, width, height, view) {
  const { middle, wide, high } = clip.box;
  const yaw = clip.turned + (view.yaw * Math.PI) / 180, tilt = (view.tilt * Math.PI) / 180;
  const margin = 4 + Math.min(width, height) * 0.06;
  const tall = high * Math.cos(tilt) + wide * Math.abs(Math.sin(tilt));
  const scale = Math.min((width / 2 - margin) / wide, (height / 2 - margin) / tall);
  return ([across, up, depth]) => {
    const [a, u, d] = [across - middle[0], up - middle[1], depth - middle[2]];
    const x = a * Math.cos(yaw) + d * Math.sin(yaw), z = d * Math.cos(yaw) - a * Math.sin(yaw);
    return [width / 2 + scale * x, height / 2 - scale * (u * Math.cos(tilt) - z * Math.sin(tilt)), z];
  };
}

// Draws a clip at a phase. Left and right differ in colour and lightness, the second person in width.
function drawClip(canvas, clip, phase, view, width = 4) {
  decode(clip);
  const stage = prepare(canvas), context = stage.context;
  const project = projector(clip, stage.width, stage.height, view);
  const colours = { left: colour('left'), right: colour('right'), '': colour('middle') };
  const lines = [];
  for (let person = 0; person < clip.shape[0]; person++) {
    const points = content.layout.sides.map((_, joint) => project(pose(clip, person, joint, phase)));
    for (const [child, parent] of content.layout.edges) {
      const [from, to] = [points[parent], points[child]];
      if (Number.isNaN(from[0]) || Number.isNaN(to[0])) continue;
      lines.push({ from, to, depth: from[2] + to[2], colour: colours[content.layout.sides[child]], person });
    }
    for (const head of content.layout.heads) {
      // A line of no length, which is a disc.
      const point = points[head];
      if (!Number.isNaN(point[0])) {
        lines.push({ from: point, to: point, depth: 2 * point[2], colour: colours[''], person, disc: true });
      }
    }
  }
  context.lineCap = 'round';
  for (const line of lines.sort((one, other) => one.depth - other.depth)) {
    context.beginPath();
    context.moveTo(line.from[0], line.from[1]);
    context.lineTo(line.to[0], line.to[1]);
    context.strokeStyle = line.colour;
    context.lineWidth = (line.person ? width * 0.5 : width) * (line.disc ? 2.8 : 1);
    context.stroke();
  }
}
