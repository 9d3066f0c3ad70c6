// Questions, people and response times by day and by hour, and where the time goes.
const inAll = (...cells) => ["Whole period", ...cells];

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
      inAll(...["questions", "answered", "failed", "people"].map((key) => count(figure(key)))),
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
      inAll(duration(figure("response_p50_ms")), duration(figure("response_p95_ms")), count(figure("response_n")))));
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
      inAll(count(figure("questions")), duration(figure("response_p50_ms")))),
    hint(`Hours of the day in ${data.time_zone}.`));
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
