// Asks the silo what its cluster does, once a second, and shows it. Histories and moves are what this page has seen itself.

import { drawLines, drawMatrix, rowsOf } from "./attention.js";
import { byId, element, setOptions, setText } from "./dom.js";
import { clock, percent, significant, time } from "./format.js";
import { Grid } from "./grid.js";
import { drawLatency } from "./latency.js";

const pollMilliseconds = 1000;

// A silo that hangs answers nothing; one that serves gives up on its cluster before this, after five seconds for each of what it asks it.
const answerMilliseconds = 20_000;
const keptSamples = 240;
const keptMoves = 200;
const keptGone = 20;
const movedMilliseconds = 8000;
const colours = [...Array(8).keys()].map(i => `var(--silo-${i})`);

// A matrix tells more than lines where these lie too close together.
const mostLines = 96;

const scoreNames = { previousToken: "previous token", firstToken: "first token", duplicateToken: "duplicate token",
  induction: "induction", entropy: "entropy", meanDistance: "mean distance" };

let cluster = null;
let capture = null;
let pattern = null;
let chosen = null;
let polling = 0;
let nextPoll = 0;

// By "model/layer/head": the samples of a head's latency, the silo it was seen on last, and when it moved.
const histories = new Map();
const places = new Map();
const movedAt = new Map();

// By name, those that went last included: each keeps its colour while it is here.
const silos = new Map();

const grid = new Grid(byId("grid"), choose);

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(answerMilliseconds) });
  if (answer.status === 404) {
    return null;
  }

  if (!answer.ok) {
    throw new Error(await answer.text());
  }

  return answer.json();
}

async function poll() {
  const turn = ++polling;
  clearTimeout(nextPoll);
  try {
    const next = await ask("api/cluster");
    const model = currentModel(next);
    const captured = model && await ask(`api/capture?model=${encodeURIComponent(model.name)}`);
    if (turn !== polling) {
      return;
    }

    cluster = next;
    note();
    if (captured?.id !== capture?.id || captured?.model !== capture?.model) {
      capture = captured;
      pattern = null;
    }

    show();
    await showPattern();
  } catch (error) {
    if (turn === polling) {
      const reason = error.name === "TimeoutError" ? `none within ${answerMilliseconds / 1000} s` : error.message.trim();
      setText(byId("state"), `no answer: ${reason}`);
      byId("state").classList.add("away");
    }
  } finally {
    if (turn === polling) {
      nextPoll = setTimeout(() => document.hidden ? document.addEventListener("visibilitychange", poll, { once: true }) : poll(), pollMilliseconds);
    }
  }
}

function keyOf(model, layer, head) {
  return `${model}/${layer}/${head}`;
}

function currentModel(state) {
  const name = byId("model").value;
  return state?.models.find(model => model.name === name) ?? preferred(state);
}

// A model of which heads are active is one that somebody uses.
function preferred(state) {
  return state?.models.find(model => state.heads.some(head => head.model === model.name)) ?? state?.models[0] ?? null;
}

// What is new since the last answer: samples, moves, silos.
function note() {
  const now = new Date(cluster.time);
  const names = new Set(cluster.silos.map(silo => silo.name));
  for (const silo of silos.values()) {
    silo.left ??= names.has(silo.name) ? null : now;
  }

  for (const silo of cluster.silos) {
    const known = silos.get(silo.name);
    silos.set(silo.name, { ...silo, colour: known?.left === null ? known.colour : freeColour(known?.colour), left: null });
  }

  const gone = [...silos.values()].filter(silo => silo.left).sort((one, other) => other.left - one.left);
  for (const silo of gone.slice(keptGone)) {
    silos.delete(silo.name);
  }

  for (const head of cluster.heads) {
    const key = keyOf(head.model, head.layer, head.head);
    const history = histories.get(key) ?? [];
    history.push({ queue: head.queueMicroseconds, project: head.projectMicroseconds, attend: head.attendMicroseconds, requests: head.requests });
    histories.set(key, history.slice(-keptSamples));
    const before = places.get(key);
    if (before && before !== head.silo) {
      movedAt.set(key, Date.now());
      addMove(now, `${head.model} ${head.layer}.${head.head}`, before, head.silo);
    }

    places.set(key, head.silo);
  }
}

// One that no silo has which is here, the one that a silo had before if it can be; more silos than colours share them.
function freeColour(before) {
  const taken = new Set([...silos.values()].filter(silo => !silo.left).map(silo => silo.colour));
  return [before, ...colours].find(colour => colour && !taken.has(colour)) ?? colours[silos.size % colours.length];
}

function addMove(now, head, from, to) {
  byId("no-moves").hidden = true;
  const rows = byId("move-rows");
  rows.prepend(element("li", {}, element("time", {}, clock(now)), element("span", {}, head), element("span", {}, `${from} → ${to}`)));
  while (rows.children.length > keptMoves) {
    rows.lastChild.remove();
  }
}

function show() {
  // Before there are options: with them, the first is what the browser takes for chosen.
  const model = currentModel(cluster);
  setOptions(byId("model"), cluster.models.map(model => ({ value: model.name, text: model.name })));
  if (model) {
    byId("model").value = model.name;
  }

  const count = cluster.heads.length;
  byId("state").classList.remove("away");
  setText(byId("state"), `live: ${count} active ${count === 1 ? "head" : "heads"} on ${cluster.silos.length} ${cluster.silos.length === 1 ? "silo" : "silos"}`);
  byId("dashboard").hidden = !cluster.dashboard;
  showSilos();
  showGrid(model);
  showHead();
}

function showSilos() {
  byId("silo-rows").replaceChildren(...[...silos.values()].map(silo => {
    const heads = cluster.heads.filter(head => head.silo === silo.name).length;
    const status = silo.left ? `gone since ${clock(silo.left)}` : silo.status;
    return element("tr", { class: silo.left ? "gone" : "", "data-silo": silo.name }, element("td", {}, chip(silo.name)), element("td", {}, silo.address),
      element("td", {}, status), element("td", { class: "number" }, String(heads)));
  }));
}

function chip(silo) {
  const made = element("span", { class: "chip" }, silo);
  made.style.setProperty("--chip", silos.get(silo)?.colour ?? "var(--line)");
  return made;
}

function showGrid(model) {
  const noteText = cluster.brokenModels.map(broken => `Cannot be used: ${broken.error}`).join("\n") || (model ? "" : "The cluster has no model.");
  byId("grid-note").hidden = noteText === "";
  setText(byId("grid-note"), noteText);
  if (!model) {
    return;
  }

  const by = colouring();
  const heads = new Map(cluster.heads.filter(head => head.model === model.name).map(head => [`${head.layer}/${head.head}`, head]));
  const values = new Map([...heads.keys()].map(place => [place, by.value(heads.get(place))]));
  const numbers = [...values.values()].filter(value => typeof value === "number");
  const [least, most] = by.range(numbers);
  grid.show(model, (layer, head) => {
    const place = `${layer}/${head}`;
    const seen = heads.get(place);
    if (!seen) {
      return { kind: "absent", text: "", label: "not active" };
    }

    const moved = Date.now() - (movedAt.get(keyOf(model.name, layer, head)) ?? 0) < movedMilliseconds;
    const value = values.get(place);
    const latency = time(latencyOf(seen));
    if (by.name === "silo") {
      return { kind: "silo", text: "", label: `on ${seen.silo}, ${latency}`, colour: silos.get(seen.silo)?.colour, silo: seen.silo, value: seen.silo, moved };
    }

    if (value === null) {
      return { kind: "absent", text: "–", label: `${by.title}: not captured; on ${seen.silo}`, silo: seen.silo, moved };
    }

    const part = most > least ? (by.scale(value) - by.scale(least)) / (by.scale(most) - by.scale(least)) : 0.5;
    return { kind: part > 0.7 ? "strong" : part > 0.53 ? "middle" : "", text: by.short(value), label: `${by.title} ${by.long(value)}, on ${seen.silo}`,
      colour: `color-mix(in oklab, var(--high) ${(100 * part).toFixed(0)}%, var(--low))`, silo: seen.silo, value, moved };
  }, chosen?.model === model.name ? chosen : null);
  showLegend(by, numbers.length > 0, least, most);
}

function showLegend(by, hasNumbers, least, most) {
  const legend = byId("legend");
  if (by.name === "silo") {
    legend.replaceChildren(...[...silos.values()].filter(silo => !silo.left).map(silo => chip(silo.name)));
  } else if (hasNumbers) {
    legend.replaceChildren(element("span", {}, by.title), element("span", {}, by.long(least)), element("span", { class: "ramp" }), element("span", {}, by.long(most)));
  } else {
    legend.replaceChildren(by.name === "pattern" ? "No patterns were captured yet: run headcluster heads on this cluster, or set HeadCluster:Patterns:SampleInterval." : "No head is active yet.");
  }
}

function latencyOf(head) {
  return head.queueMicroseconds + head.projectMicroseconds + head.attendMicroseconds;
}

// How the grid is coloured: the value of a head, the range of values, and texts.
function colouring() {
  const name = document.querySelector("input[name=colour]:checked").value;
  const score = byId("score").value;
  byId("score-choice").hidden = name !== "pattern";
  if (name === "latency") {
    // Logarithmic, or one slow head would make all others look alike.
    return { name, title: "latency", value: latencyOf, range: ends, scale: value => Math.log(value + 1), short, long: time };
  }

  if (name === "silo") {
    return { name, value: head => head.silo, range: () => [0, 0] };
  }

  const isShare = !["entropy", "meanDistance"].includes(score);
  return {
    name,
    title: scoreNames[score],
    value: head => scoreOf(head, score),
    range: isShare ? () => [0, 1] : ends,
    scale: value => value,
    short: value => isShare ? (100 * value).toFixed(0) : significant(value),
    long: value => isShare ? percent(value) : significant(value),
  };
}

function ends(numbers) {
  return [Math.min(...numbers), Math.max(...numbers)];
}

function short(microseconds) {
  return microseconds >= 1e4 ? `${(microseconds / 1e3).toFixed(0)} ms` : microseconds >= 1e3 ? `${(microseconds / 1e3).toFixed(1)} ms`
    : microseconds >= 10 ? microseconds.toFixed(0) : microseconds.toFixed(1);
}

// Of the query heads of a head the one that shows most of it.
function scoreOf(head, score) {
  const captured = capture?.heads.find(other => other.layer === head.layer && other.head === head.head);
  const values = (captured?.scores ?? []).map(scores => scores[score]).filter(value => value !== null);
  return values.length === 0 ? null : Math.max(...values);
}

function choose(layer, head) {
  chosen = { model: currentModel(cluster).name, layer, head };
  hidePattern();
  byId("attention-part").hidden = true;
  show();
  void showPattern();
}

function showHead() {
  const seen = chosen && cluster.heads.find(head => head.model === chosen.model && head.layer === chosen.layer && head.head === chosen.head);
  byId("head-hint").hidden = chosen !== null;
  byId("head-detail").hidden = !seen;
  if (!chosen) {
    return;
  }

  const by = colouring();
  const value = seen && by.value(seen);
  byId("head-title").textContent = `Layer ${chosen.layer}, head ${chosen.head}`;
  setText(byId("head-value"), !seen || by.name === "silo" ? "" : `${by.title} ${value === null ? "not captured" : by.long(value)}`);
  byId("head-silo").replaceChildren(seen ? chip(seen.silo) : "not active");
  if (seen) {
    drawLatency(byId("latency"), histories.get(keyOf(chosen.model, chosen.layer, chosen.head)));
  }
}

async function showPattern() {
  if (!chosen) {
    return;
  }

  const isCaptured = capture?.heads.some(head => head.layer === chosen.layer && head.head === chosen.head);
  if (!isCaptured) {
    byId("attention-part").hidden = true;
    byId("capture-time").textContent = "";
    byId("attention-note").hidden = false;
    byId("attention-note").textContent = capture === null
      ? "No request was captured yet: run headcluster heads on this cluster, or set HeadCluster:Patterns:SampleInterval."
      : "This head is not among those that the last request captured.";
    return;
  }

  setOptions(byId("sequence"), capture.sequences.map((tokens, i) => ({ value: String(i), text: `${i} (${tokens.length} tokens)` })));
  byId("sequence-choice").hidden = capture.sequences.length === 1;
  const query = wantedPattern();
  if (pattern?.query === query) {
    return;
  }

  const answer = await ask(`api/pattern?${query}`).catch(() => null);

  // Another request may have been captured meanwhile, or another head or sequence chosen.
  if (answer && query === wantedPattern()) {
    pattern = { ...answer, query };
    drawPattern();
  }
}

// What the page is to show, as it asks for it; null for nothing.
function wantedPattern() {
  return chosen && capture && new URLSearchParams({ ...chosen, capture: capture.id, sequence: byId("sequence").value }).toString();
}

// Until the one that was chosen is there: another would be taken for it.
function hidePattern() {
  pattern = null;
  byId("attention").replaceChildren();
  byId("attention-note").hidden = true;
  byId("reading").textContent = "";
  byId("capture-time").textContent = "";
}

function drawPattern() {
  byId("attention-note").hidden = pattern.keys === null;
  byId("attention-note").textContent = "Of each row only the largest entries are there.";
  byId("attention-part").hidden = false;
  byId("capture-time").textContent = `${pattern.tokens.length} tokens, captured ${clock(new Date(capture.time))}`;
  setOptions(byId("query-head"), pattern.shares.map((_, i) => ({ value: String(i), text: String(i) })));
  byId("query-head-choice").hidden = pattern.shares.length === 1;

  const lines = document.querySelector("input[name=view][value=lines]");
  lines.disabled = pattern.tokens.length > mostLines;
  const asLines = lines.checked && !lines.disabled;
  const draw = asLines ? drawLines : drawMatrix;
  document.querySelector(`input[name=view][value=${asLines ? "lines" : "matrix"}]`).checked = true;
  draw(byId("attention"), pattern.tokens, rowsOf(pattern, Number(byId("query-head").value)), text => {
    byId("reading").textContent = text || (asLines ? "Point at a token to see what it looks at, or on the right what looks at it." : "Row looks at column. Point at an entry to read it.");
  });
}

function redraw() {
  if (pattern) {
    drawPattern();
  }
}

byId("model").addEventListener("change", () => {
  [chosen, capture, pattern] = [null, null, null];
  byId("head-title").textContent = "No head chosen";
  byId("head-silo").replaceChildren();
  byId("head-value").textContent = "";
  if (cluster) {
    show();
  }

  poll();
});
byId("colour").addEventListener("change", show);
byId("score").addEventListener("change", show);
byId("view").addEventListener("change", redraw);
byId("query-head").addEventListener("change", redraw);
byId("sequence").addEventListener("change", () => {
  hidePattern();
  void showPattern();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
poll();
