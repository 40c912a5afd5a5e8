// Shares as people read them; the page's server writes them the same way.

/** Writes a share (0..1) so that only a whole one reads as 100%; null, where nothing is known, as a dash. */
export function percent(share) {
  if (share === null) return "–";
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return "under 1%";
  return whole === 100 && share < 1 ? "over 99%" : `${whole}%`;
}
