//! Points of section 12 about GraphQL.
