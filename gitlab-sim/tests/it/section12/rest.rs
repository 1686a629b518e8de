//! Points of section 12 about addresses, visibility, files and shapes.
