// Small helpers to make elements.

const svgNames = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a child that is no element is text. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNames, name), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Sets a text; one that stays as it is, is not told again to those who have the page read out. */
export function setText(root, text) {
  if (root.textContent !== text) {
    root.textContent = text;
  }
}

/** Gives a select these options, and keeps what is chosen where it is still there. */
export function setOptions(select, options) {
  const texts = options.map(option => option.text).join("\n");
  if (select.dataset.options === texts) {
    return;
  }

  const chosen = select.value;
  select.replaceChildren(...options.map(option => element("option", { value: option.value }, option.text)));
  select.dataset.options = texts;
  if (options.some(option => option.value === chosen)) {
    select.value = chosen;
  }
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }

  made.append(...children);
  return made;
}
