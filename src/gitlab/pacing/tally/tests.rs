//! Laws of counting.
