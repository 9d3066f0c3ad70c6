// What went wrong, signs of trouble, questions worth reading, and who asks.
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
