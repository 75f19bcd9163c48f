// The layers and heads of a model as a grid that mouse and arrow keys walk.

import { element } from "./dom.js";

export class Grid {
  #root;
  #choose;
  #cells = new Map();
  #shape = "";
  #focused = null;

  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
    root.addEventListener("keydown", event => this.#walk(event));
    root.addEventListener("click", event => this.#pick(event.target.closest(".cell")));
  }

  /**
   * Shows a model. describe(layer, head) tells of each head its colour (a CSS value; null for one that is not active), a short text
   * for the cell, a long one, and whether the colour is a strong one.
   */
  show(model, describe, chosen) {
    this.#build(model);
    for (const { cell, layer, head } of this.#cells.values()) {
      const seen = describe(layer, head);
      cell.className = ["cell", seen.kind, seen.moved ? "moved" : ""].join(" ").trim();
      cell.style.setProperty("--cell", seen.colour ?? "transparent");
      if (cell.textContent !== seen.text) {
        cell.textContent = seen.text;
      }

      const label = `layer ${layer}, head ${head}: ${seen.label}`;
      if (cell.title !== label) {
        cell.title = label;
        cell.setAttribute("aria-label", label);
      }

      cell.setAttribute("aria-selected", String(chosen?.layer === layer && chosen?.head === head));
      cell.dataset.silo = seen.silo ?? "";
      cell.dataset.value = seen.value ?? "";
    }
  }

  #build(model) {
    const shape = `${model.name} ${model.layers} ${model.kvHeads}`;
    if (shape === this.#shape) {
      return;
    }

    this.#shape = shape;
    this.#cells.clear();
    this.#root.style.setProperty("--columns", model.kvHeads);
    this.#root.style.setProperty("--rows", model.layers);
    this.#root.style.setProperty("--cell-font", model.kvHeads > 16 ? "0" : model.kvHeads > 8 ? "0.7rem" : "0.85rem");
    const heads = [...Array(model.kvHeads).keys()];
    const top = element("div", { role: "row" }, element("span", { class: "axis corner", "aria-hidden": "true" }, "layer"),
      ...heads.map(head => element("span", { class: "axis", role: "columnheader", "aria-label": `head ${head}` }, String(head))));
    const rows = [...Array(model.layers).keys()].map(layer => element("div", { role: "row" },
      element("span", { class: "axis layer", role: "rowheader", "aria-label": `layer ${layer}` }, String(layer)),
      ...heads.map(head => this.#cell(layer, head))));
    this.#root.replaceChildren(top, ...rows);
    this.#focus(0, 0, false);
  }

  #cell(layer, head) {
    const cell = element("button", { type: "button", role: "gridcell", class: "cell", tabindex: "-1", "data-layer": layer, "data-head": head });
    this.#cells.set(`${layer}/${head}`, { cell, layer, head });
    return cell;
  }

  #pick(cell) {
    if (cell) {
      const [layer, head] = [Number(cell.dataset.layer), Number(cell.dataset.head)];
      this.#focus(layer, head, true);
      this.#choose(layer, head);
    }
  }

  #walk(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const at = event.target.closest(".cell");
    if (!at || !(event.key in steps)) {
      return;
    }

    const [down, right] = steps[event.key];
    event.preventDefault();
    this.#focus(Number(at.dataset.layer) + down, Number(at.dataset.head) + right, true);
  }

  // One cell takes part in the order of the tab key; the arrow keys choose which.
  #focus(layer, head, take) {
    const next = this.#cells.get(`${layer}/${head}`)?.cell;
    if (!next) {
      return;
    }

    if (this.#focused) {
      this.#focused.tabIndex = -1;
    }

    next.tabIndex = 0;
    this.#focused = next;
    if (take) {
      next.focus();
    }
  }
}
