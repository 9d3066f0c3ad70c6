// Numbers, days and names, as people read them. Nothing here knows the page.
const NONE = "–";
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
