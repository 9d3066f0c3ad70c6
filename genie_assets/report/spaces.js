// Spaces: how each was used, and what it is made of.
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
