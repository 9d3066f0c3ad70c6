"use strict";
(() => {
  // All text reaches the page as text: nothing here makes markup of it.
  const data = JSON.parse(document.getElementById("document").textContent);
  const NONE = "–";
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

  // ---- numbers as people read them
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const hundredth = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const known = (value) => value !== null && value !== undefined;
  const count = (value) => (known(value) ? whole.format(value) : NONE);
  const share = (value) => (known(value) ? `${tenth.format(100 * value)} %` : NONE);
  // Of nothing there is no share to speak of.
  const shareOf = (part, total) => (total ? `${share(ratio(part, total))} of ${count(total)}` : NONE);
  function duration(ms) {
    if (!known(ms)) return NONE;
    if (ms < 1000) return `${whole.format(ms)} ms`;
    if (ms < 120000) return `${tenth.format(ms / 1000)} s`;
    if (ms < 7200000) return `${tenth.format(ms / 60000)} min`;
    return ms < 172800000 ? `${tenth.format(ms / 3600000)} h` : `${tenth.format(ms / 86400000)} days`;
  }
  const ratio = (part, of) => (known(part) && of ? part / of : null);
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const dayName = (day) => (day ? `${Number(day.slice(8, 10))} ${MONTHS[Number(day.slice(5, 7)) - 1]}` : NONE);
  const fullDay = (day) => (day ? `${dayName(day)} ${day.slice(0, 4)}` : NONE);
  const times = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

  const LONGEST = 48;
  const shortened = (text) => ([...text].length > LONGEST ? `${[...text].slice(0, LONGEST - 1).join("")}…` : text);
  // A space of which no title is known is called by its id: so much of it that it can be told from others.
  const titled = (name) =>
    (/^[0-9a-f]{32}$/.test(name) ? `untitled ${name.slice(0, 8)}…${name.slice(-4)}` : shortened(name));
  // Where people and service principals stand side by side, an id says whose it is.
  const userName = (name) =>
    (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name) ? `service principal ${name.slice(0, 8)}…` : name);

  // Names such as THIS_IS_AN_EXCEPTION may be broken after an underscore.
  const breakable = (name) => shortened(name).replaceAll("_", "_\u200b");

  // ---- what is chosen; the address says it, so that it can be sent to somebody
  const periods = new Map(data.periods.map((period) => [period.name, period]));
  const state = { period: data.opens_with, choice: "", kind: "failed" };
  const nameOf = (list, choice) => list[Number(choice.slice(1))].name;
  const placeName = (choice) =>
    choice === "" ? "all workspaces" : choice[0] === "w" ? shortened(nameOf(data.workspaces, choice)) : titled(nameOf(data.spaces, choice));
  const workspaceOf = (choice) => (choice[0] === "s" ? data.spaces[Number(choice.slice(1))].workspace : choice);
  const isWithin = (workspace, space) =>
    state.choice === "" || state.choice === space || state.choice === workspace;
  const exists = (choice) =>
    choice === "" || (/^[ws][0-9]+$/.test(choice) &&
      Number(choice.slice(1)) < (choice[0] === "w" ? data.workspaces : data.spaces).length);

  function readAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (periods.has(wanted.get("period"))) state.period = wanted.get("period");
    if (wanted.has("choice") && exists(wanted.get("choice"))) state.choice = wanted.get("choice");
    if (["failed", "slow", "disliked", "rephrased"].includes(wanted.get("kind"))) state.kind = wanted.get("kind");
  }
  const writeAddress = () => history.replaceState(null, "", `#${new URLSearchParams(state)}`);

  const period = () => periods.get(state.period);
  const from = (part, name = state.period, choice = state.choice) => ((data[part] || {})[name] || {})[choice];

  // A choice of which no question is known: nothing was asked, unless days or questions are missing.
  function figure(key, name = state.period, choice = state.choice) {
    const row = from("figures", name, choice);
    if (row) return row[key];
    const before = name.startsWith("before-");
    const of = periods.get(before ? name.slice(7) : name);
    const loaded = before ? of.loaded_days_before : of.loaded_days;
    return !loaded || from("unread", name, choice) || key.endsWith("_ms") ? null : 0;
  }

  // ---- key figures
  const rate = (part, of) => (name, choice) => ratio(figure(part, name, choice), figure(of, name, choice));
  const finished = () => times(figure("judged"), "finished question", "finished questions");
  const plain = (key) => (name, choice) => figure(key, name, choice);
  const CARDS = [
    { name: "questions", label: "Questions", value: plain("questions"), show: count, good: 1 },
    { name: "people", label: "People", value: plain("people"), show: count, good: 1,
      of: () => (figure("service_principals")
        ? `and ${times(figure("service_principals"), "service principal", "service principals")}` : null) },
    { name: "conversations", label: "Conversations", value: plain("conversations"), show: count, good: 1 },
    { name: "success_rate", label: "Answered", value: rate("answered", "judged"), show: share, good: 1,
      of: () => `of ${finished()}` },
    { name: "response_p50_ms", label: "Response time, median", value: plain("response_p50_ms"), show: duration, good: -1,
      of: () => (figure("response_n") ? `half of ${times(figure("response_n"), "answer", "answers")} came faster` : null) },
    { name: "response_p95_ms", label: "Response time, slowest 5 %", value: plain("response_p95_ms"), show: duration, good: -1,
      of: () => (figure("response_n") ? "or longer; 95 of 100 answers came faster" : null) },
    { name: "positive_share", label: "Rated good", value: rate("positive", "rated"), show: share, good: 1,
      of: () => `of ${times(figure("rated"), "rating", "ratings")}` },
    { name: "rated_share", label: "Rated", value: rate("rated", "judged"), show: share, good: 0,
      of: () => `of ${finished()}` },
    { name: "first_answered_share", label: "First question answered", value: rate("first_answered", "first_judged"),
      show: share, good: 1, of: () => `of ${times(figure("first_judged"), "conversation", "conversations")}` },
    { name: "rephrased_share", label: "Asked again in other words", value: rate("rephrased", "rephrased_n"), show: share,
      good: -1, of: () => `of ${times(figure("rephrased_n"), "question", "questions")}` },
  ];

  function changeOf(card, now) {
    const { days, loaded_days: loaded, loaded_days_before: before } = period();
    if (loaded < days || before < days) return null;
    const then = card.value(`before-${state.period}`, state.choice);
    if (!known(now) || !known(then)) return null;
    const isShare = card.show === share;
    const grown = isShare ? 100 * (now - then) : then ? (100 * (now - then)) / then : null;
    if (grown === null) return null;
    const is = Math.abs(grown) < 0.05 || !card.good ? "same" : grown > 0 === card.good > 0 ? "better" : "worse";
    const sign = grown > 0 ? "▲" : grown < 0 ? "▼" : "=";
    const text = !isShare && grown >= 900 ? `▲ ${whole.format(now / then)} times`
      : `${sign} ${tenth.format(Math.abs(grown))} ${isShare ? "points" : "%"}`;
    return el("div", { class: `change ${is}`, title: `${card.show(then)} in the ${days} days before` }, text);
  }

  function drawCards() {
    const cards = CARDS.map((card) => {
      const now = card.value(state.period, state.choice);
      return el("div", { class: "card", "data-figure": card.name, "data-value": known(now) ? String(now) : "" },
        el("div", { class: "name" }, card.label),
        el("div", { class: "value" }, card.show(now)),
          el("div", { class: "of" }, card.of ? card.of() : null), changeOf(card, now));
    });
    byId("compared").textContent = cards.some((card) => card.querySelector(".change"))
      ? `${period().days} days, compared with the ${period().days} days before: ▲ is more, ▼ is less; green is better, red is worse.` : "";
    document.querySelector("#figures .cards").replaceChildren(...cards);
  }

  function drawNotices() {
    const { days, loaded_days: loaded, loaded_days_before: before } = period();
    const unread = from("unread") || 0;
    const notices = [
      loaded < days && `Only ${loaded} of these ${days} days ${loaded === 1 ? "is" : "are"} loaded. The figures leave the others out.`,
      loaded === days && before < days && (before ? `Only ${before} of the ${days} days before ${before === 1 ? "is" : "are"} loaded, so nothing is compared.`
        : `Nothing is compared: none of the ${days === 1 ? "day" : `${days} days`} before is loaded.`),
      unread && `${times(unread, "question", "questions")} could not be read yet, and ${unread === 1 ? "is" : "are"} in none of ` +
        "these figures. The last part of this page says why, and what to do.",
    ].filter(Boolean);
    byId("notices").replaceChildren(...notices.map((text) => el("p", { class: "notice" }, text)));
  }

  // ---- charts
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

  // Of a list with an entry for each day that the document holds, those of the period that is chosen.
  function ofPeriod(list) {
    return list.slice(data.days.indexOf(period().first_day), data.days.indexOf(period().last_day) + 1);
  }
  function days() {
    const stored = data.daily[state.choice];
    const series = (name) => {
      if (stored) return ofPeriod(stored[name]);
      return ofPeriod(data.pipeline).map((day) => (day.is_loaded && !name.endsWith("_ms") ? 0 : null));
    };
    return { names: ofPeriod(data.days), series };
  }

  // Whether nobody asked, or nobody knows.
  function noQuestion() {
    const isWhole = period().loaded_days === period().days && !from("unread");
    const place = state.choice === "" ? "" : ` in ${placeName(state.choice)}`;
    return isWhole ? `Nobody asked anything${place} in these days.`
      : `No question${place} is known of these days; not all of them are loaded and read.`;
  }
  const total = (...cells) => ["Whole period", ...cells];

  function drawActivity() {
    const { names, series } = days();
    const [questions, answered, failed, people] = ["questions", "answered", "failed", "people"].map(series);
    if (!most(questions)) return fill("activity", empty(noQuestion()));
    const other = questions.map((all, place) => (known(all) ? all - answered[place] - failed[place] : null));
    const drawn = frame(names.map(dayName), questions, { caption: "Questions by day" });
    addBars(drawn, [
      { values: answered, kind: "answered" }, { values: failed, kind: "failed" }, { values: other, kind: "other" }]);
    const below = frame(names.map(dayName), people, { caption: "People by day", size: "low" });
    addLine(below, people);
    const texts = names.map((day, n) => (known(questions[n])
      ? `${fullDay(day)}: ${times(questions[n], "question", "questions")}, ${count(answered[n])} answered, ` +
        `${count(failed[n])} failed, ${times(people[n], "person", "people")}`
      : `${fullDay(day)}: not loaded`));
    for (const each of [drawn, below]) addHits(each, texts);
    fill("activity",
      legend(["answered", "questions answered"], ["failed", "failed"], ["other", "cancelled, unfinished, withheld or deleted"],
        ...(questions.every(known) ? [] : [["unknown", "day not loaded"]])),
      drawn.chart, aboveInWords(drawn, names.map(fullDay), DAYS), legend(["second", "people who asked"]), below.chart,
      aboveInWords(below, names.map(fullDay), DAYS),
      asTable("Questions and people by day", ["Day", "Questions", "Answered", "Failed", "People"],
        names.map((day, n) => [fullDay(day), ...[questions, answered, failed, people].map((each) => count(each[n]))]),
        total(...["questions", "answered", "failed", "people"].map((key) => count(figure(key)))),
        "In the last row, somebody who asked on several days is one person."));
  }

  function drawTimes() {
    const { names, series } = days();
    const [half, nearly, n] = ["response_p50_ms", "response_p95_ms", "response_n"].map(series);
    if (!most(half, nearly)) return fill("times", empty("No response time is known of these days."));
    const drawn = frame(names.map(dayName), nearly, { caption: "Response time by day", size: "tall", isTime: true });
    addLine(drawn, nearly);
    addLine(drawn, half, "soft");
    addHits(drawn, names.map((day, at) => (known(nearly[at])
      ? `${fullDay(day)}: half of ${times(n[at], "answer", "answers")} came within ${duration(half[at])}, 95 of 100 within ${duration(nearly[at])}`
      : `${fullDay(day)}: ${known(n[at]) ? "no answer" : "not loaded"}`)));
    fill("times", legend(["second", "slowest 5 %: 95 of 100 answers came faster"], ["answered", "median: half came faster"]), drawn.chart,
      aboveInWords(drawn, names.map(fullDay), DAYS),
      asTable("Response time by day", ["Day", "Median", "Slowest 5 %", "Answers"],
        names.map((day, at) => [fullDay(day), duration(half[at]), duration(nearly[at]), count(n[at])]),
        total(duration(figure("response_p50_ms")), duration(figure("response_p95_ms")), count(figure("response_n")))));
  }

  function drawHours() {
    const rows = from("hours") || [];
    if (!rows.length) return fill("hours", empty(noQuestion()));
    const byHour = new Map(rows.map((row) => [row.hour, row]));
    const hours = [...Array(24).keys()];
    const questions = hours.map((hour) => (byHour.get(hour) || { questions: 0 }).questions);
    const half = hours.map((hour) => (byHour.get(hour) || {}).response_p50_ms);
    const names = hours.map((hour) => `${hour}:00`);
    const spans = hours.map((hour) => `${hour}:00 to ${hour}:59`);
    const drawn = frame(names, questions, { caption: "Questions by hour of the day", size: "middle" });
    addBars(drawn, [{ values: questions, kind: "answered" }]);
    const below = most(half)
      ? frame(names, half, { caption: "Median response time by hour of the day", size: "low", isTime: true }) : null;
    if (below) addLine(below, half);
    const texts = hours.map((hour) =>
      `${spans[hour]}: ${times(questions[hour], "question", "questions")}, median response time ${duration(half[hour])}`);
    for (const each of [drawn, below].filter(Boolean)) addHits(each, texts);
    fill("hours", legend(["answered", "questions"]), drawn.chart, aboveInWords(drawn, spans, HOURS),
      ...(below ? [legend(["second", "median response time"]), below.chart, aboveInWords(below, spans, HOURS)] : []),
      asTable("By hour of the day", ["Hour", "Questions", "Median"],
        hours.map((hour) => [spans[hour], count(questions[hour]), duration(half[hour])]),
        total(count(figure("questions")), duration(figure("response_p50_ms")))),
      hint(`Hours of the day in ${data.time_zone}.`));
  }

  const small = (text) => el("small", null, text);
  function bar(what, part, top, amount, kind = "") {
    const inner = el("div", { class: `fill ${kind}` });
    inner.style.width = `${top && part ? Math.max(0.5, (100 * part) / top) : 0}%`;
    return el("div", { class: "bar" }, el("div", { class: "what" }, what),
      el("div", { class: "track" }, inner), el("div", { class: "amount" }, amount));
  }

  function drawSplit() {
    const parts = [
      ["Thinking (all but the SQL)", "thinking"], ["Waiting for compute", "wait"], ["Compiling the SQL", "compile"],
      ["Running the SQL", "execution"], ["Fetching the result", "fetch"]];
    const values = parts.map(([, key]) => figure(`${key}_p50_ms`));
    if (!most(values)) {
      return fill("split", empty("How long the parts take is not known: query history has not been read for these days."));
    }
    fill("split",
      ...parts.map(([label, key], n) =>
        bar(label, values[n] || 0, most(values), el("span", null, duration(values[n]), small(times(figure(`${key}_n`), "answer", "answers"))))),
      hint("Each bar is the median of that part alone: together they are not the median response time."),
      figure("cache_n") ? hint(`${share(ratio(figure("from_cache"), figure("cache_n")))} of ` +
        `${times(figure("cache_n"), "SQL statement", "SQL statements")} were answered from the cache.`) : null);
  }

  // ---- tables
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

  function drawSpaces() {
    const rows = data.spaces.map((space, n) => ({ space, choice: `s${n}` }))
      .filter(({ space }) => workspaceOf(state.choice) === "" || space.workspace === workspaceOf(state.choice))
      .map((each) => ({ ...each, questions: figure("questions", state.period, each.choice) }))
      .filter((each) => each.questions || from("unread", state.period, each.choice))
      .sort((a, b) => (b.questions || 0) - (a.questions || 0) || a.space.name.localeCompare(b.space.name));
    if (!rows.length) return fill("spaces", empty(period().loaded_days ? "No space was used in these days." : "None of these days is loaded."));
    const numbers = (choice) => {
      const of = (key) => figure(key, state.period, choice);
      const daily = data.daily[choice];
      return [
        count(of("questions")), daily ? el("div", { class: "spark-cell" }, spark(ofPeriod(daily.questions))) : NONE,
        count(of("people")), share(ratio(of("answered"), of("judged"))), duration(of("response_p50_ms")),
        duration(of("response_p95_ms")), shareOf(of("positive"), of("rated")),
        count(from("unread", state.period, choice) || 0)];
    };
    const all = workspaceOf(state.choice);
    fill("spaces", table("Spaces",
      [["Space", "name"], ["Questions", "number"], ["By day"], ["People", "number"], ["Answered", "number"], ["Median", "number"],
        ["Slowest 5 %", "number"], ["Rated good", "number"], ["Not read", "number"], ["Workspace", "place"]],
      rows.map(({ space, choice }) => [
        el("a", { href: `#${new URLSearchParams({ ...state, choice })}`, title: space.name }, titled(space.name)),
        ...numbers(choice), shortened(nameOf(data.workspaces, space.workspace))]),
      { classOf: (n) => (rows[n].choice === state.choice ? "chosen" : ""),
        last: rows.length > 1 ? ["All spaces", ...numbers(all), all === "" ? "" : placeName(all)] : null }),
    hint("Median and slowest 5 % are response times. In the last row, somebody who asked in several spaces is one person."));
  }

  function drawFailures() {
    const rows = from("failures") || [];
    if (!rows.length) {
      return fill("failures", empty(figure("judged") ? "No question of these days failed." : "No question of these days is finished."));
    }
    const top = most(rows.map((row) => row.failed));
    fill("failures", ...rows.slice(0, 12).map((row) =>
      bar(breakable(row.error_type), row.failed, top, el("span", null, count(row.failed), small(`by ${times(row.users, "user", "users")}`)), "failed")),
    rows.length > 12 ? hint(`${times(rows.length - 12, "rarer reason is", "rarer reasons are")} not shown.`) : null,
    hint(`${count(figure("failed"))} of ${finished()} failed.`));
  }

  function drawSignals() {
    if (!figure("questions")) return fill("signals", empty(noQuestion()));
    const signals = [
      ["Answered without SQL", "without_sql", "without_sql_n"], ["Result without rows", "empty_result", "empty_result_n"],
      ["Genie asked back", "clarification", "clarification_n"], ["Asked again in other words", "rephrased", "rephrased_n"],
      ["Conversation given up", "abandoned", "abandoned_n"], ["Cancelled", "cancelled", "questions"],
      ["Answer not shown to us", "withheld", "questions"], ["Rated bad", "negative", "rated"],
      ["Commented", "commented", "questions"]];
    fill("signals", ...signals.map(([label, part, of]) =>
      bar(label, ratio(figure(part), figure(of)) || 0, 1,
        el("span", null, share(ratio(figure(part), figure(of))), small(`${count(figure(part))} of ${count(figure(of))}`)))),
    hint("Each is a share of those questions of which it is known."));
  }

  const KINDS = { failed: "Failed", slow: "Slow", disliked: "Disliked", rephrased: "Asked again" };
  const TOTALS = { failed: "failed", slow: "response_n", disliked: "negative", rephrased: "rephrased" };
  const NO_SUCH = {
    failed: "No failed question is known of these days.", slow: "No response time is known of these days.",
    disliked: "Nobody rated an answer of these days as bad.", rephrased: "No question of these days was asked again in other words." };
  function drawQuestions() {
    const { first_day: first, last_day: last } = period();
    const kind = state.kind;
    const within = data.questions.filter((row) => row.kind === kind && isWithin(row.workspace, row.space) &&
      (kind === "slow" ? row.period === state.period : row.day >= first && row.day <= last));
    const sorted = within.sort((a, b) => (kind === "slow" ? b.response_time_ms - a.response_time_ms
      : a.asked_at < b.asked_at ? 1 : a.asked_at > b.asked_at ? -1 : 0)).slice(0, 10);
    const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Which questions" }, ...Object.entries(KINDS).map(([each, label]) =>
      el("button", { type: "button", "aria-pressed": String(each === kind),
        onclick: () => { state.kind = each; writeAddress(); drawQuestions(); } }, label)));
    if (!sorted.length) return fill("questions", tabs, empty(NO_SUCH[kind]));
    const spaceName = (row) => (known(row.space) ? titled(nameOf(data.spaces, row.space)) : NONE);
    fill("questions", tabs, table("Questions worth reading",
      [["Asked (UTC)", "short"], ["Space", "name"], ["Who", "name"], ["Question", "text"], ["Took", "number"], ["Link", "short"]],
      sorted.map((row) => [
        row.asked_at.slice(0, 16).replace("T", " "), spaceName(row), userName(row.user || NONE),
        [row.question || (data.with_texts ? NONE : "not shown: GENIE_REPORT_TEXTS is off"), row.error_type && `Failed with ${breakable(row.error_type)}`,
          row.comment && `Comment: ${row.comment}`].filter(Boolean).join("\n"),
        duration(row.response_time_ms),
        // The address was put together of ids that were looked at; anything else is not made a link.
        row.genie_url && /^https?:\/\/[A-Za-z0-9.:-]+\//.test(row.genie_url)
          ? el("a", { href: row.genie_url, rel: "noreferrer", target: "_blank" }, "open in Genie") : NONE]), { stacks: true }),
    hint(`The ${kind === "slow" ? "slowest" : "latest"} ${sorted.length} of ${count(figure(TOTALS[kind]))}.`));
  }

  function drawUsers() {
    const rows = from("users") || [];
    const people = rows.filter((row) => row.user_kind !== "SERVICE_PRINCIPAL");
    const services = rows.filter((row) => row.user_kind === "SERVICE_PRINCIPAL");
    const columns = [["User", "name"], ["Questions", "number"], ["Spaces", "number"], ["Answered", "number"], ["Last asked", "short"]];
    const cells = (row) => [row.user, count(row.questions), count(row.spaces),
      shareOf(row.answered, row.judged), fullDay(row.last_day)];
    fill("users",
      people.length ? table("People", columns, people.map(cells)) : empty("No person is known to have asked in these days."),
      services.length ? el("h3", null, "Service principals (one may stand for many people)") : null,
      services.length ? table("Service principals", columns, services.map(cells)) : null,
      people.length + services.length ? hint(data.with_names ? "The most active users." :
        "The most active users, by codes that stay the same in every report. With GENIE_REPORT_NAMES=true it shows their addresses.") : null);
  }

  function drawInventory() {
    const rows = data.inventory.filter((row) => isWithin(row.workspace, row.space));
    if (!rows.length) return fill("inventory", empty("No space is known: the job genie_spaces reads them."));
    const unused = rows.filter((row) => row.is_never_used);
    const parts = ["tables", "joins", "instructions", "example_queries", "sample_questions", "benchmarks"];
    fill("inventory",
      unused.length ? el("p", null, `Nobody has asked anything in ${count(unused.length)} of ${times(rows.length, "space", "spaces")} ` +
        "since the first loaded day.") : null,
      table("Inventory of spaces",
        [["Space", "name"], ["State"], ["Last used", "short"], ["Questions", "number"], ["Tables", "number"], ["Joins", "number"],
          ["Instructions", "number"], ["Examples", "number"], ["Samples", "number"], ["Benchmarks", "number"]],
        rows.slice(0, 300).map((row) => [
          titled(row.space_name || row.space_id),
          row.is_trashed ? "in the trash" : row.api_fetch_status && row.api_fetch_status !== "SUCCESS" ? `cannot be read: ${row.api_fetch_status}`
            : row.is_configuration_known ? "configuration stored" : "configuration not known",
          row.last_used_on ? fullDay(row.last_used_on) : row.is_never_used ? "never" : NONE,
          count(row.messages), ...parts.map((part) => count(row[part]))])),
      rows.length > 300 ? hint(`${rows.length - 300} more are not shown.`) : null,
      hint("Last used and questions: of all loaded days. Tables to benchmarks: how many the space's configuration has."));
  }

  // What loading each day took, and how late its rows came; of days whose runs did not note it, nothing is known.
  function effort() {
    const after = (day, name, of) => (day[of] ? `${duration(day[`${name}_p50_ms`])} / ${duration(day[`${name}_p95_ms`])}` : NONE);
    const days = ofPeriod(data.pipeline).filter((day) => day.is_loaded).reverse();
    return el("details", { class: "effort" }, el("summary", null, "What loading took, and how late rows came"),
      table("What loading took",
        [["Day", "short"], ["Read", "number"], ["Runs", "number"], ["Requests", "number"], ["per question", "number"], ["Fetching", "number"],
          ["Question seen after: half / 95 %", "number"], ["of", "number"], ["Statement seen after: half / 95 %", "number"], ["of", "number"]],
        days.map((day) => [fullDay(day.day), share(day.completeness), count(day.runs), count(day.requests),
          known(day.requests_per_message) ? hundredth.format(day.requests_per_message) : NONE, duration(day.fetch_ms),
          after(day, "seen_lag", "seen_n"), count(day.seen_n), after(day, "statement_lag", "statement_seen_n"), count(day.statement_seen_n)])),
      hint("All workspaces. “Seen after” is the time from the question to the run that found it, the wait for that run included. " +
        "Runs that had nothing to fetch are not counted."));
  }

  function drawPipeline() {
    const strip = el("div", { class: "strip" }, ...ofPeriod(data.pipeline).map((day) => {
      const lacks = (day.open_errors || 0) + (day.pending || 0);
      const text = !day.is_loaded ? "not loaded" : `${count(day.stored)} of ${count(day.wanted)} read, ` +
        `${times(day.open_errors, "open error", "open errors")}, ${count(day.pending)} pending`;
      return el("span", { class: !day.is_loaded ? "late" : lacks ? "lacking" : "", title: `${fullDay(day.day)}: ${text}`,
        role: "img", "aria-label": `${fullDay(day.day)}: ${text}` }, String(Number(day.day.slice(8, 10))));
    }));
    const errors = data.errors.filter((row) => workspaceOf(state.choice) === "" || row.workspace === workspaceOf(state.choice));
    fill("pipeline",
      el("p", { class: "hint" }, "Each day of the period, in all workspaces: a green square is complete, a red circle lacks something, a dashed square is not loaded."),
      strip, effort(),
      el("h3", null, "What cannot be read now, and what to do"),
      errors.length ? table("What cannot be read now",
        [["Workspace", "name"], ["What"], ["Why"], ["How many", "number"], ["Since", "short"], ["State"], ["What to do", "advice"]],
        errors.map((row) => [row.workspace_name || row.workspace_id, row.of_what.toLowerCase(), row.error_class, count(row.errors),
          fullDay((row.oldest_error_at || "").slice(0, 10)), row.retry_state.toLowerCase(), row.what_to_do]), { stacks: true })
        : empty("Nothing: all that the audit log names has been read."));
  }

  // ---- put together
  function option(select, value, label) { select.append(el("option", { value }, label)); }
  function fillSelects() {
    const workspace = workspaceOf(state.choice);
    byId("period").replaceChildren(); byId("workspace").replaceChildren(); byId("space").replaceChildren();
    for (const each of periods.values()) {
      option(byId("period"), each.name, each.name === "whole" ? `All ${each.days} days` : `${each.days} days`);
    }
    option(byId("workspace"), "", "All workspaces");
    data.workspaces.forEach(({ name }, n) => option(byId("workspace"), `w${n}`, shortened(name)));
    option(byId("space"), "", "All spaces");
    data.spaces.map((space, n) => [space, `s${n}`])
      .filter(([space]) => workspace === "" || space.workspace === workspace)
      .sort((a, b) => a[0].name.localeCompare(b[0].name))
      .forEach(([space, choice]) => option(byId("space"), choice, titled(space.name)));
    byId("period").value = state.period;
    byId("workspace").value = workspace;
    byId("space").value = state.choice[0] === "s" ? state.choice : "";
  }
  function draw() {
    fillSelects();
    const { first_day: first, last_day: last } = period();
    document.querySelector("#subtitle span").textContent = `${fullDay(first)} to ${fullDay(last)}, ${placeName(state.choice)}`;
    for (const each of [drawNotices, drawCards, drawActivity, drawTimes, drawSpaces, drawHours, drawSplit, drawFailures,
      drawSignals, drawQuestions, drawUsers, drawInventory, drawPipeline]) each();
    document.body.dataset.drawn = `${state.period}/${state.choice}`;
  }
  function choose(change) { Object.assign(state, change); writeAddress(); draw(); }

  function startTheme() {
    const wanted = window.matchMedia("(prefers-color-scheme: dark)");
    const set = (dark) => { document.documentElement.dataset.theme = dark ? "dark" : "light"; };
    set(wanted.matches);
    wanted.addEventListener("change", (event) => set(event.matches));
    byId("theme").addEventListener("click", () => set(document.documentElement.dataset.theme !== "dark"));
  }

  startTheme();
  byId("made").textContent = `Made on ${data.made_at.replace("T", " at ").replace("+00:00", " UTC")} from tables of genie-assets. ` +
    "Days are UTC days. Median and slowest 5 % are nearest ranks: each is the time of one of the answers. " +
    "– is not known, or there is nothing to count it from.";
  if (!data.periods.length) {
    byId("choices").hidden = true;
    byId("main").replaceChildren(el("p", { class: "notice" }, "No day is loaded yet: run genie-assets load, or switch the schedules on."));
    document.body.dataset.drawn = "nothing";
    return;
  }
  readAddress();
  byId("period").addEventListener("change", (event) => choose({ period: event.target.value }));
  byId("workspace").addEventListener("change", (event) => choose({ choice: event.target.value }));
  byId("space").addEventListener("change", (event) => choose({ choice: event.target.value || workspaceOf(state.choice) }));
  window.addEventListener("hashchange", () => { readAddress(); draw(); });
  narrow.addEventListener("change", draw);
  draw();
})();
