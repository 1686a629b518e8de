//! Points of section 12 about lists: shifting pages, ties, precision, totals, keyset.
