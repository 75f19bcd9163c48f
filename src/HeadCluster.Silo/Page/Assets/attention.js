// Which token looks at which: lines between two columns of tokens, or a matrix. Both tell numbers under the mouse and by arrow keys.

import { element, svg } from "./dom.js";
import { percent } from "./format.js";

const rowHeight = 22;
const lineWidth = 560;
const [leftEdge, rightEdge] = [150, 410];

// What is fainter than this cannot be seen.
const leastShare = 0.004;

/** The entries of each row as [key, share], whether the pattern is whole or only its largest entries are there. */
export function rowsOf(pattern, queryHead) {
  const shares = pattern.shares[queryHead];
  return shares.map((row, i) => row.map((share, j) => [pattern.keys ? pattern.keys[queryHead][i][j] : j, share]));
}

export function drawLines(root, tokens, rows, tell) {
  const height = (tokens.length + 1) * rowHeight;
  const y = place => (place + 1.5) * rowHeight;
  const lines = svg("g");
  const picture = svg("svg", { class: "lines", viewBox: `0 0 ${lineWidth} ${height}`, tabindex: "0", role: "img",
    "aria-label": `attention of ${tokens.length} tokens; arrow up and down choose a token, left and right whether it looks or is looked at` });
  picture.append(
    svg("text", { class: "title", x: leftEdge - 8, y: rowHeight / 2, "text-anchor": "end" }, "looks"),
    svg("text", { class: "title", x: rightEdge + 8, y: rowHeight / 2 }, "at"),
    lines);

  const left = tokens.map((token, place) => tokenAt(token, place, leftEdge, "end", y(place)));
  const right = tokens.map((token, place) => tokenAt(token, place, rightEdge, "start", y(place)));
  picture.append(...left.map(token => token.group), ...right.map(token => token.group));

  for (const [query, row] of rows.entries()) {
    for (const [key, share] of row) {
      if (share >= leastShare) {
        lines.append(svg("line", { x1: leftEdge, y1: y(query), x2: rightEdge, y2: y(key), "stroke-width": 2,
          "data-query": query, "data-key": key, "data-share": share }));
      }
    }
  }

  // All rows, what one token looks at, or what looks at one token.
  const show = (side, place) => {
    active = side === null ? null : { side, place };
    for (const line of lines.children) {
      const its = side === null || Number(line.dataset[side]) === place;
      line.setAttribute("stroke-opacity", its ? visible(Number(line.dataset.share)) * (side === null ? 0.7 : 1) : 0);
    }

    const byKey = new Map(side === "query" ? rows[place] : []);
    const byQuery = side === "key" ? rows.map(row => row.find(entry => entry[0] === place)?.[1] ?? 0) : [];
    left.forEach((token, i) => token.mark(side === "query" && i === place, byQuery[i] ?? 0));
    right.forEach((token, i) => token.mark(side === "key" && i === place, byKey.get(i) ?? 0));
    tell(side === null ? "" : side === "query" ? sayQuery(tokens, rows, place) : sayKey(tokens, byQuery, place));
  };

  let active = null;
  left.forEach((token, place) => token.group.addEventListener("pointerenter", () => show("query", place)));
  right.forEach((token, place) => token.group.addEventListener("pointerenter", () => show("key", place)));
  picture.addEventListener("pointerleave", () => show(null));
  picture.addEventListener("keydown", event => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const side = { ArrowLeft: "query", ArrowRight: "key" }[event.key];
    if (event.key === "Escape") {
      show(null);
    } else if (side) {
      event.preventDefault();
      show(side, active?.place ?? 0);
    } else if (step) {
      event.preventDefault();
      const place = active ? active.place + step : step > 0 ? 0 : tokens.length - 1;
      show(active?.side ?? "query", Math.min(tokens.length - 1, Math.max(0, place)));
    }
  });

  show(null);
  root.replaceChildren(picture);
}

export function drawMatrix(root, tokens, rows, tell) {
  const length = tokens.length;
  const size = Math.max(2, Math.min(28, Math.floor(480 / length)));

  // Tokens along both edges, where there is room for them.
  const edge = size >= 16 ? 44 : 0;
  const canvas = element("canvas", { width: edge + length * size, height: edge + length * size, tabindex: "0", role: "img",
    "aria-label": `attention matrix of ${length} tokens, rows look at columns; arrow keys choose an entry` });
  const paint = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const shares = rows.map(row => new Map(row));
  let at = null;

  const draw = () => {
    paint.globalAlpha = 1;
    paint.clearRect(0, 0, canvas.width, canvas.height);
    paint.font = "12px ui-monospace, 'Liberation Mono', monospace";
    paint.textBaseline = "middle";
    for (let place = 0; edge > 0 && place < length; place++) {
      const middle = edge + (place + 0.5) * size;
      paint.fillStyle = colour(at?.query === place ? "--ink" : "--soft");
      paint.textAlign = "right";
      paint.fillText(tokens[place], edge - 6, middle, edge - 8);
      paint.fillStyle = colour(at?.key === place ? "--ink" : "--soft");
      paint.textAlign = "center";
      paint.fillText(tokens[place], middle, edge - 12, size - 2);
    }

    paint.fillStyle = colour("--low");
    paint.fillRect(edge, edge, length * size, length * size);
    paint.fillStyle = colour("--high");
    const gap = size > 6 ? 1 : 0;
    for (const [query, row] of shares.entries()) {
      for (const [key, share] of row) {
        paint.globalAlpha = share;
        paint.fillRect(edge + key * size, edge + query * size, size - gap, size - gap);
      }
    }

    if (at) {
      paint.globalAlpha = 1;
      paint.strokeStyle = colour("--ink");
      paint.lineWidth = 2;
      paint.strokeRect(edge + at.key * size, edge + at.query * size, size - gap, size - gap);
    }
  };

  const show = (query, key) => {
    at = query === null ? null : { query, key };
    draw();
    tell(at ? `${name(tokens, query)} looks at ${name(tokens, key)}: ${percent(shares[query].get(key) ?? 0)}` : "");
  };

  const within = value => Math.min(length - 1, Math.max(0, value));
  const placeOf = offset => within(Math.floor((offset - edge) / size));
  canvas.addEventListener("pointermove", event => show(placeOf(event.offsetY), placeOf(event.offsetX)));
  canvas.addEventListener("pointerleave", () => show(null));
  canvas.addEventListener("keydown", event => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Escape") {
      show(null);
    } else if (step) {
      event.preventDefault();
      show(within((at?.query ?? 0) + step[0]), within((at?.key ?? 0) + step[1]));
    }
  });

  show(null);
  root.replaceChildren(canvas);
}

// Small shares stronger than they are, or nobody would see them, least of all on a dark page.
function visible(share) {
  return Math.sqrt(share);
}

function tokenAt(token, place, x, anchor, y) {
  const out = anchor === "end" ? -1 : 1;
  const mark = svg("rect", { class: "mark", x: anchor === "end" ? x - 92 : x + 4, y: y - rowHeight / 2 + 1, width: 88, height: rowHeight - 2, rx: 3, "fill-opacity": 0 });
  const share = svg("text", { class: "share", x: x + out * 98, y, "text-anchor": anchor });
  const group = svg("g", { class: "token", "data-place": place }, mark,
    svg("text", { x: x + out * 12, y, "text-anchor": anchor }, String(token)),
    svg("text", { class: "place", x: x + out * 86, y, "text-anchor": anchor === "end" ? "start" : "end" }, String(place)),
    share,
    svg("rect", { class: "hit", x: anchor === "end" ? 0 : x, y: y - rowHeight / 2, width: 150, height: rowHeight }));
  return {
    group,
    mark(active, part) {
      group.classList.toggle("active", active);
      mark.setAttribute("fill-opacity", active ? 0.16 : 0.6 * visible(part));
      share.textContent = part >= leastShare ? percent(part) : "";
    },
  };
}

function name(tokens, place) {
  return `token ${tokens[place]} at ${place}`;
}

function sayQuery(tokens, rows, query) {
  const most = [...rows[query]].sort((one, other) => other[1] - one[1])[0];
  return `${name(tokens, query)} looks most at ${name(tokens, most[0])}: ${percent(most[1])}`;
}

function sayKey(tokens, shares, key) {
  const most = shares.indexOf(Math.max(...shares));
  return `${name(tokens, key)} is looked at most by ${name(tokens, most)}: ${percent(shares[most])}`;
}
