// What is chosen, and what the document knows of it. The address says it, so that it can be sent to somebody.
const data = JSON.parse(document.getElementById("document").textContent);
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
