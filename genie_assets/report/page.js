// The page, put together: what can be chosen, and all its parts drawn anew for each choice.
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

function start() {
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
}

start();
