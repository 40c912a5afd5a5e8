// Formatting of shares, the same as on the server.

/** Formats a share (0..1) so that only 1.0 becomes 100%; null, for unknown, becomes a dash. */
export function percent(share) {
  if (share === null) return "–";
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return "under 1%";
  return whole === 100 && share < 1 ? "over 99%" : `${whole}%`;
}
