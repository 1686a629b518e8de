//! Points of section 12 about limits, tokens and scopes.
