"use strict";
// The scales of charts, worked out of numbers alone: which marks an axis has, how they are written, and which values
// stand above it. Nothing here knows the page.
const scales = (() => {
  const known = (value) => value !== null && value !== undefined;
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const POWERS = [...Array(16).keys()].flatMap((n) => [1, 2, 5].map((digit) => digit * 10 ** n));
  // Steps between two marks: of counts one, two or five of a power of ten; of times (ms) those of a clock.
  const CLOCK = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500], ...[1, 2, 5, 10, 20, 30].map((n) => n * SECOND),
    ...[1, 2, 5, 10, 20, 30].map((n) => n * MINUTE), ...[1, 2, 6, 12].map((n) => n * HOUR),
    ...POWERS.map((n) => n * DAY)];
  // A value is beyond the scale if it is more than so many times what three quarters of the values stay below: of
  // three values, none is.
  const FAR = 4;

  /** The largest value that is not far beyond the others, so that one odd day does not press all others flat. */
  function usual(values) {
    const sorted = values.filter((value) => known(value) && value > 0).sort((a, b) => a - b);
    if (!sorted.length) return 0;
    const limit = FAR * sorted[Math.ceil(sorted.length * 0.75) - 1];
    return sorted.filter((value) => value <= limit).pop();
  }

  const UNITS = [[DAY, "days"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"], [1, "ms"]];
  const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  /** Marks of one axis have one unit: the largest of which there are two, and which says them with one decimal. */
  function written(marks, isTime) {
    const step = marks[1], last = marks[marks.length - 1];
    const fits = ([size]) => last >= 2 * size && (10 * step) % size === 0;
    const [by, unit] = isTime ? UNITS.find(fits) || UNITS[UNITS.length - 1] : [1, ""];
    return marks.map((mark) => (mark ? `${short.format(mark / by)} ${unit}`.trim() : "0"));
  }

  /**
   * The scale of some values, which are counts or milliseconds; null is not known.
   *
   * `marks` are evenly spaced round numbers from 0, at most `most` of them beside it; `labels` is what they say;
   * `above` are the places of those values that are higher than the last mark.
   */
  function scale(values, isTime, most) {
    const top = usual(values);
    const steps = isTime ? CLOCK : POWERS;
    const step = steps.find((each) => top / each <= most) || steps[steps.length - 1];
    const marks = [...Array(Math.max(1, Math.ceil(top / step)) + 1).keys()].map((n) => n * step);
    const last = marks[marks.length - 1];
    const above = [...values.keys()].filter((place) => known(values[place]) && values[place] > last);
    return { marks, labels: written(marks, isTime), top: last, above };
  }
  return { scale };
})();
