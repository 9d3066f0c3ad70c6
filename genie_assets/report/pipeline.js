// Whether all of it was read, what that took, and what to do about the rest.
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
