// page.js - the page of `hunch serve`: what the server's events say (feed.h), drawn.
'use strict';

const byId = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = {left: 58, right: 24, top: 10, bottom: 38};

let study = null;        // the last event of that name
let cells = [];          // by index: what the server says of it, and its points
const hidden = new Map(); // arm's name: not drawn
let cursor = null;       // steps that the pointer is at
let logOf = -1;          // index of the cell whose log is open

// ---- numbers as text ----

const number = (x) => x === null || x === undefined ? '-' : String(Number(x.toPrecision(4)));

function short(x) {
  if (x === null || x === undefined) return '-';
  const unit = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']].find(([size]) => Math.abs(x) >= size);
  return unit ? Number((x / unit[0]).toPrecision(3)) + unit[1] : String(Number(x.toPrecision(3)));
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return '-';
  const s = Math.ceil(seconds), two = (n) => String(n).padStart(2, '0');
  if (s < 60) return s + 's';
  if (s < 3600) return Math.floor(s / 60) + 'm' + two(s % 60) + 's';
  if (s < 86400) return Math.floor(s / 3600) + 'h' + two(Math.floor(s % 3600 / 60)) + 'm';
  return Math.floor(s / 86400) + 'd' + two(Math.floor(s % 86400 / 3600)) + 'h';
}

// ---- elements ----

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function shape(name, attributes) {
  const e = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

// Texts that stay as they are must not be written again: screen readers would say them again.
function write(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// ---- the head ----

function drawHead(whole) {
  const count = Object.entries(whole.count).filter(([state, n]) => n && state !== 'done');
  const words = [`${whole.count.done} of ${cells.length} cells done`];
  for (const [state, n] of count) words.push(`${n} ${state}`);
  write(byId('counts'), words.join(', '));
  write(byId('left'), whole.seconds_left === null ? '' : `${duration(whole.seconds_left)} left`);
  byId('report').hidden = !whole.report;
  let done = 0, total = 0;
  for (const c of cells) {
    total += Math.max(c.frames_total || 0, c.frames);
    done += c.frames;
  }
  byId('progress').max = total || 1;
  byId('progress').value = done;
  document.title = `${whole.count.done}/${cells.length} ${study.study} - hunch`;
}

// ---- the curves ----

const lookOf = (arm) => arm.slot < 0 ? 'rest' : `slot-${arm.slot}`;

// Means at the steps that all seeds of an arm have which have any.
function meanOf(curves) {
  const sums = new Map();
  for (const points of curves)
    for (const [step, value] of points) {
      const sum = sums.get(step) || [0, 0];
      sums.set(step, [sum[0] + value, sum[1] + 1]);
    }
  return [...sums].filter(([, sum]) => sum[1] === curves.length)
      .map(([step, sum]) => [step, sum[0] / sum[1]]).sort((a, b) => a[0] - b[0]);
}

function armsDrawn() {
  return study.arms.map((arm, a) => {
    const own = cells.slice(a * study.seeds, (a + 1) * study.seeds);
    const curves = own.map((c) => c.points).filter((points) => points.length);
    return {...arm, curves, mean: meanOf(curves)};
  }).filter((arm) => arm.curves.length && !hidden.get(arm.name));
}

// About `most` round numbers within a range.
function ticks(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const first = Math.ceil(low / step), last = Math.floor(high / step + 1e-9);
  return Array.from({length: Math.max(last - first + 1, 0)}, (_, i) => (first + i) * step);
}

function rangeOf(arms, k) {
  let low = Infinity, high = -Infinity;
  for (const arm of arms)
    for (const points of arm.curves)
      for (const p of points) {
        low = Math.min(low, p[k]);
        high = Math.max(high, p[k]);
      }
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return k ? [low - room, high + room] : [0, high || 1];
}

function scalesOf(arms) {
  const plot = byId('plot'), width = plot.clientWidth, height = plot.clientHeight;
  const [, right] = rangeOf(arms, 0), [bottom, top] = rangeOf(arms, 1);
  const across = width - MARGIN.left - MARGIN.right, down = height - MARGIN.top - MARGIN.bottom;
  return {
    width, height, right, bottom, top,
    x: (step) => MARGIN.left + across * step / right,
    y: (value) => MARGIN.top + down * (top - value) / (top - bottom),
    step: (x) => (x - MARGIN.left) / across * right,
  };
}

function drawAxes(g, s) {
  const text = (x, y, anchor, words) => {
    const e = shape('text', {x, y, 'text-anchor': anchor});
    e.textContent = words;
    g.append(e);
  };
  for (const value of ticks(s.bottom, s.top, s.height / 55)) {
    const y = s.y(value);
    g.append(shape('line', {class: 'grid', x1: MARGIN.left, x2: s.width - MARGIN.right,
      y1: y, y2: y}));
    text(MARGIN.left - 8, y + 4, 'end', short(value));
  }
  for (const step of ticks(0, s.right, s.width / 110))
    text(s.x(step), s.height - MARGIN.bottom + 18, 'middle', short(step));
  text((MARGIN.left + s.width - MARGIN.right) / 2, s.height - 4, 'middle', 'environment steps');
}

function drawCurve(g, s, points, className) {
  const at = points.map(([step, value]) => `${s.x(step).toFixed(1)},${s.y(value).toFixed(1)}`);
  g.append(shape('polyline', {class: className, points: at.join(' ')}));
}

function drawArm(g, s, arm) {
  const look = lookOf(arm);
  for (const points of arm.curves) drawCurve(g, s, points, `curve ${look}`);
  drawCurve(g, s, arm.mean, `curve mean ${look}`);
  const last = arm.mean[arm.mean.length - 1];
  if (!last) return;
  g.append(shape('circle', {class: `last ${look}`, cx: s.x(last[0]), cy: s.y(last[1]), r: 3.5}));
}

const lastBefore = (points, step) => points.filter((p) => p[0] <= step).pop();

// What the arms' means are at a step, the last one before it where there is none.
function wordsAt(arms, step) {
  return arms.map((arm) => [arm.name, lastBefore(arm.mean, step)]).filter(([, p]) => p)
      .map(([name, p]) => `${name} ${number(p[1])}`).join(', ');
}

function drawCurves() {
  const arms = study ? armsDrawn() : [], g = byId('drawing');
  g.replaceChildren();
  if (!arms.length) {
    write(byId('readout'), study ? 'Nothing that is drawn has been evaluated yet.' : '');
    return;
  }
  const s = scalesOf(arms);
  byId('plot').setAttribute('viewBox', `0 0 ${s.width} ${s.height}`);
  drawAxes(g, s);
  for (const arm of arms) drawArm(g, s, arm);
  const step = cursor === null ? s.right : Math.min(Math.max(cursor, 0), s.right);
  if (cursor !== null) g.append(shape('line', {class: 'cursor', x1: s.x(step), x2: s.x(step),
    y1: MARGIN.top, y2: s.height - MARGIN.bottom}));
  const words = wordsAt(arms, step);
  write(byId('plot-words'), `Means of the seeds: ${words}`);
  const where = cursor === null ? '' : ` at ${short(step)} steps`;
  write(byId('readout'), `Means of the seeds${where}: ${words}`);
}

function pointAt(event) {
  const arms = study ? armsDrawn() : [];
  if (!arms.length) return;
  const left = byId('plot').getBoundingClientRect().left;
  cursor = event ? scalesOf(arms).step(event.clientX - left) : null;
  drawCurves();
}

function legendOf(arm) {
  const button = element('button');
  const line = shape('svg', {viewBox: '0 0 36 16', 'aria-hidden': true});
  line.append(shape('line', {class: `curve mean ${lookOf(arm)}`, x1: 2, x2: 34, y1: 8, y2: 8}));
  button.type = 'button';
  button.append(line, arm.name);
  const show = () => button.setAttribute('aria-pressed', String(!hidden.get(arm.name)));
  button.onclick = () => {
    hidden.set(arm.name, !hidden.get(arm.name));
    show();
    drawCurves();
  };
  show();
  return button;
}

// ---- the table ----

function rowOf(c) {
  const row = element('tr'), cell = (className) => row.appendChild(element('td', className));
  const name = row.appendChild(element('th'));
  const log = element('button', 'link', `${c.arm} / ${c.seed_index}`);
  name.scope = 'row';
  name.append(log);
  log.type = 'button';
  log.onclick = () => openLog(c.index);
  const state = cell('state');
  const parts = {row};
  parts.state = state.appendChild(element('span'));
  parts.why = state.appendChild(element('span', 'why'));
  const update = cell('n');
  parts.update = update.appendChild(element('span'));
  parts.bar = update.appendChild(element('progress'));
  parts.bar.setAttribute('aria-label', `Updates of ${c.arm} / ${c.seed_index}`);
  parts.rate = cell('n extra');
  parts.left = cell('n');
  parts.metric = cell('n');
  parts.at = cell('n extra');
  return parts;
}

function drawRow(c) {
  const p = c.parts;
  p.row.className = c.state;
  write(p.state, c.state);
  const quiet = c.seconds_without_update;
  write(p.why, c.reason || (quiet ? `no update for ${duration(quiet)}` : ''));
  write(p.update, c.updates === null ? String(c.update) : `${c.update} / ${c.updates}`);
  p.bar.hidden = c.state === 'done' || c.state === 'waiting';
  p.bar.max = c.updates || 1;
  p.bar.value = c.updates ? c.update : 0;
  write(p.rate, short(c.frames_per_second));
  write(p.left, duration(c.seconds_left));
  write(p.metric, number(c.metric));
  write(p.at, number(c.metric_update));
}

// ---- logs ----

async function readLog() {
  const index = logOf, text = byId('log-text');
  if (index < 0) return;
  const answer = await fetch(`log/${index}`).catch(() => null);
  if (!answer || !answer.ok || index !== logOf) return;
  const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 4;
  write(text, await answer.text() || 'Nothing yet.');
  if (atEnd) text.scrollTop = text.scrollHeight;
}

function openLog(index) {
  logOf = index;
  write(byId('log-title'), `End of the log of ${cells[index].arm} / ${cells[index].seed_index}`);
  write(byId('log-text'), '');
  byId('log').showModal();
  readLog();
}

// ---- events ----

function apply(data) {
  for (const news of data.cells) {
    const old = cells[news.index] || {points: []};
    const points = news.steps.map((step, i) => [step, news.values[i]]);
    const c = {...old, ...news, points: old.points.slice(0, news.from).concat(points)};
    cells[news.index] = c;
    if (!c.parts) byId('cells').append((c.parts = rowOf(c)).row);
    drawRow(c);
  }
  drawHead(data);
  drawCurves();
}

function begin(data) {
  study = data;
  cells = [];
  byId('cells').replaceChildren();
  for (const arm of study.arms)
    if (!hidden.has(arm.name)) hidden.set(arm.name, arm.slot < 0);
  byId('legend').replaceChildren(...study.arms.map(legendOf));
  write(byId('study'), study.study);
  const words = study.words + (study.unit ? ` [${study.unit}]` : '');
  write(byId('metric'), words.charAt(0).toUpperCase() + words.slice(1));
  write(byId('plot-title'),
      `${words} over environment steps: a thin line a seed, a thick one an arm's mean`);
  write(byId('metric-column'), study.metric);
  document.body.classList.remove('lost');
  apply(data);
}

const events = new EventSource('events');
events.addEventListener('study', (e) => begin(JSON.parse(e.data)));
events.addEventListener('change', (e) => study && apply(JSON.parse(e.data)));
events.onerror = () => {
  document.body.classList.add('lost');
  write(byId('counts'), 'The connection is lost; trying again ..');
  write(byId('left'), '');
};

byId('at-work').onchange = (e) => byId('cells').classList.toggle('work', e.target.checked);
byId('log').onclose = () => { logOf = -1; };
byId('plot').onpointermove = pointAt;
byId('plot').onpointerleave = () => pointAt(null);
window.onresize = drawCurves;
setInterval(readLog, 2000);
