// Numbers as people read them.

export function time(microseconds) {
  if (microseconds >= 1e6) {
    return `${significant(microseconds / 1e6)} s`;
  }

  return microseconds >= 1e3 ? `${significant(microseconds / 1e3)} ms` : `${significant(microseconds)} µs`;
}

export function percent(share) {
  const value = 100 * share;
  return `${value >= 99.95 ? "100" : value.toFixed(1)} %`;
}

export function significant(value) {
  return value === 0 ? "0" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function clock(date) {
  return date.toLocaleTimeString([], { hour12: false });
}
