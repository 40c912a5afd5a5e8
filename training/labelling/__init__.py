"""Labels by hand: the order of the reviews, the session, agreement, and spreadsheets."""
