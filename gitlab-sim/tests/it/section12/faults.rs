//! Points of section 12 about failures of the instance.
