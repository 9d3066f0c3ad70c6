// Charts as SVG: bars and lines over days or hours, what stands above their scale, and what each place says.
const LEFT = 50, BOTTOM = 22;
const narrow = window.matchMedia("(max-width: 600px)");
// Of charts that stand below another and share its days or hours, beside two of them, and of others.
const HIGH = { low: 100, middle: 140, usual: 210, tall: 330 };
/** An empty chart: its scale, and where a value and a place stand. Values are counts, or times in ms. */
function frame(labels, values, { caption, size = "usual", isTime = false }) {
  const wide = narrow.matches ? 360 : 640, high = narrow.matches && size === "tall" ? HIGH.usual : HIGH[size];
  const { marks, labels: names, top, above } = scales.scale(values, isTime, size === "low" ? 3 : 5);
  const TOP = above.length ? 22 : 10; // what is above the scale is written there
  const y = (value) => TOP + (high - TOP - BOTTOM) * (1 - Math.min(value, top) / top);
  const slot = (wide - LEFT) / Math.max(labels.length, 1);
  const x = (place) => LEFT + slot * (place + 0.5);
  const chart = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": caption });
  marks.forEach((mark, n) => chart.append(
    svg("line", { class: "grid", x1: LEFT, x2: wide, y1: y(mark), y2: y(mark) }),
    svg("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, names[n])));
  const every = Math.ceil(labels.length / (narrow.matches ? 5 : 8));
  labels.forEach((label, place) => {
    if (place % every === 0) chart.append(svg("text", { x: x(place), y: high - 5, "text-anchor": "middle" }, label));
  });
  return { chart, x, y, slot, top, above, values, wide, show: isTime ? duration : count, TOP, high: high - TOP - BOTTOM };
}
/** Mark what stands above the scale, with its number where there is room. */
function addAbove({ chart, x, y, top, above, values, wide, show }) {
  let free = -Infinity;
  for (const place of above) {
    const isWritten = x(place) > free;
    if (isWritten) free = x(place) + 80;
    const anchor = x(place) > wide - 40 ? "end" : "middle";
    chart.append(svg("text", { class: "beyond", x: anchor === "end" ? wide : x(place), y: y(top) - 7, "text-anchor": anchor },
      isWritten ? `▲ ${show(values[place])}` : "▲"));
  }
}
/** What is above the scale, in words; nothing, if nothing is. */
function aboveInWords({ above, values, show }, names, [one, many]) {
  if (!above.length) return null;
  const highest = above.reduce((best, place) => (values[place] > values[best] ? place : best));
  return hint(above.length === 1
    ? `▲ One ${one} is above the scale, so that the others can be seen: ${names[highest]}, ${show(values[highest])}.`
    : `▲ ${count(above.length)} ${many} are above the scale, so that the others can be seen: the highest is ` +
      `${names[highest]}, ${show(values[highest])}.`);
}
const DAYS = ["day", "days"], HOURS = ["hour", "hours"];
function addBars(drawn, series) {
  const { chart, x, y, slot } = drawn;
  const wide = Math.max(1, Math.min(slot * 0.72, 34));
  series[0].values.forEach((_, place) => {
    let sum = 0;
    for (const { values, kind } of series) {
      const value = values[place];
      if (!known(value)) {
        chart.append(svg("rect", { class: "unknown", x: x(place) - wide / 2, width: wide, y: y(0) - 22, height: 22 }));
        break;
      }
      if (y(sum) > y(sum + value)) {
        chart.append(svg("rect", {
          class: kind, x: x(place) - wide / 2, width: wide, y: y(sum + value), height: y(sum) - y(sum + value) }));
      }
      sum += value;
    }
  });
  // A bar that goes on above the scale is broken.
  for (const place of drawn.above) {
    const left = x(place) - wide / 2 - 1, at = y(drawn.top) + 12;
    chart.append(svg("path", { class: "break", d: `M${left} ${at}l${wide + 2} -6v4l${-wide - 2} 6z` }));
  }
  addAbove(drawn);
}
function addLine(drawn, values, kind = "") {
  const { chart, x, y } = drawn;
  let path = "", isOpen = false;
  values.forEach((value, place) => {
    if (!known(value)) { isOpen = false; return; }
    path += `${isOpen ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = true;
    chart.append(svg("circle", { class: `dot ${kind}`, cx: x(place), cy: y(value), r: values.length > 60 ? 1 : 2.4 }));
  });
  chart.append(svg("path", { class: `line ${kind}`, d: path || "M0 0" }));
  if (values === drawn.values) addAbove(drawn);
}
function addHits({ chart, x, slot, TOP, high }, texts) {
  texts.forEach((text, place) => chart.append(
    svg("rect", { class: "hit", x: x(place) - slot / 2, width: slot, y: TOP, height: high },
      svg("title", null, text))));
}
const legend = (...entries) =>
  el("div", { class: "legend" }, ...entries.map(([kind, text]) => el("span", null, el("i", { class: kind }), text)));
const most = (...lists) => Math.max(0, ...lists.flat().filter(known));

function spark(values) {
  const drawn = svg("svg", { viewBox: "0 0 120 26", "aria-hidden": "true", preserveAspectRatio: "none" });
  const top = most(values) || 1, step = 120 / Math.max(values.length - 1, 1);
  let path = "", isOpen = false;
  values.forEach((value, n) => {
    if (!known(value)) { isOpen = false; return; }
    path += `${isOpen ? "L" : "M"}${(n * step).toFixed(1)} ${(24 - (22 * value) / top).toFixed(1)}`;
    isOpen = true;
  });
  drawn.append(svg("path", { class: "spark", d: path || "M0 24" }));
  return drawn;
}
