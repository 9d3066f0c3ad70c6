// The figures at a glance, how they changed, and what has to be known of them.
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
