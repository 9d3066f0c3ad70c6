// Elements of the page. All text reaches it as text: nothing here makes markup of it.
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class" || name.includes("-") || node.namespaceURI === SVG) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const el = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);
const fill = (section, ...nodes) => byId(section).querySelector(".body").replaceChildren(...nodes.filter(Boolean));
const empty = (why) => el("p", { class: "empty" }, why);
const hint = (text) => el("p", { class: "hint" }, text);
const small = (text) => el("small", null, text);
function bar(what, part, top, amount, kind = "") {
  const inner = el("div", { class: `fill ${kind}` });
  inner.style.width = `${top && part ? Math.max(0.5, (100 * part) / top) : 0}%`;
  return el("div", { class: "bar" }, el("div", { class: "what" }, what),
    el("div", { class: "track" }, inner), el("div", { class: "amount" }, amount));
}

/**
 * A table that scrolls by itself. A column is a heading and a kind; `classOf` says the class of a row, `last` is a
 * row of totals. One that `stacks` shows each row as a block on a phone.
 */
function table(name, columns, rows, { classOf, last, stacks } = {}) {
  const cells = (row, tag) => row.map((cell, place) => {
    const [label, kind] = columns[place];
    return el(tag(place), { class: kind || "", "data-label": label, scope: tag(place) === "th" ? "row" : null },
      cell instanceof Node ? cell : String(known(cell) ? cell : NONE));
  });
  return el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": name },
    el("table", { class: stacks ? "stacks" : "" },
      el("thead", null, el("tr", null, ...columns.map(([label, kind]) => el("th", { class: kind || "", scope: "col" }, label)))),
      el("tbody", null, ...rows.map((row, n) => el("tr", { class: classOf ? classOf(n) : "" }, ...cells(row, () => "td")))),
      last ? el("tfoot", null, el("tr", null, ...cells(last, (place) => (place ? "td" : "th")))) : null));
}
const asTable = (name, heads, rows, last, note) => el("details", null, el("summary", null, "As a table"),
  table(name, heads.map((head, n) => [head, n ? "number" : "short"]), rows, { last }), note ? hint(note) : null);
