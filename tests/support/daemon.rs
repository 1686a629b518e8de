//! The real binary: commands that end, and a daemon that runs.
