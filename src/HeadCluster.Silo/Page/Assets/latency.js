// A head's latency over time: queue, project and attend, one on top of the other.

import { element, svg } from "./dom.js";
import { time } from "./format.js";

const parts = ["queue", "project", "attend"];
const width = 560;
const height = 100;

export function drawLatency(root, samples) {
  const last = samples.at(-1);
  const most = Math.max(...samples.map(total)) || 1;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height + 4}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `latency over ${samples.length} samples, now ${time(total(last))}` });
  parts.forEach((part, index) => picture.append(svg("path", { d: area(samples, index, most), fill: `var(--${part})` })));
  picture.append(svg("line", { class: "base", x1: 0, x2: width, y1: height, y2: height, "vector-effect": "non-scaling-stroke" }));

  const list = element("ul", { class: "parts" },
    ...parts.map(part => {
      const chip = element("span", { class: "chip" }, part);
      chip.style.setProperty("--chip", `var(--${part})`);
      return element("li", { "data-part": part }, chip, element("b", {}, time(last[part])));
    }),
    element("li", {}, "together", element("b", {}, time(total(last)))),
    element("li", {}, "at most", element("b", {}, time(most))),
    element("li", {}, "requests", element("b", {}, String(last.requests))));
  root.replaceChildren(picture, list);
}

function total(sample) {
  return sample.queue + sample.project + sample.attend;
}

// From the bottom of one part to its top and back, the newest sample at the right edge.
function area(samples, index, most) {
  const level = (sample, count) => height - height * parts.slice(0, count).reduce((sum, part) => sum + sample[part], 0) / most;
  const place = i => samples.length === 1 ? [0, width][i] : width * i / (samples.length - 1);
  const drawn = samples.length === 1 ? [samples[0], samples[0]] : samples;
  const top = drawn.map((sample, i) => `${place(i).toFixed(1)},${level(sample, index + 1).toFixed(1)}`);
  const bottom = drawn.map((sample, i) => `${place(i).toFixed(1)},${level(sample, index).toFixed(1)}`);
  return `M${top.join("L")}L${bottom.reverse().join("L")}Z`;
}
