//! A progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::crawl::{Event, Progress, Silent};

/// Shows a sync as a bar on stderr.
#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    known: Mutex<bool>,
}

/// Returns a bar when a person watches, else nothing.
pub fn watch() -> Arc<dyn Progress> {
    if !std::io::stderr().is_terminal() {
        return Arc::new(Silent);
    }
    let bar = ProgressBar::no_length();
    Arc::new(Bar { bar, known: Mutex::new(false) })
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{msg:>16} {spinner} {pos}")
        .expect("the template is valid: a test")
}

fn measured() -> ProgressStyle {
    ProgressStyle::with_template("{msg:>16} [{wide_bar}] {pos}/{len}")
        .expect("the template is valid: a test")
        .progress_chars("=> ")
}

impl Progress for Bar {
    fn event(&self, event: Event) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Step { name, units } => {
                *known = units.is_some();
                self.bar.reset();
                self.bar.set_message(name.replace('_', " "));
                self.bar.set_style(if *known { measured() } else { counting() });
                self.bar.set_length(units.unwrap_or(0));
            }
            Event::More(units) => {
                if *known {
                    self.bar.inc_length(units);
                }
            }
            Event::Done(units) => {
                self.bar.inc(units);
                // Items that change while they are listed come twice.
                if *known && self.bar.position() > self.bar.length().unwrap_or(0) {
                    self.bar.set_length(self.bar.position());
                }
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        let _ = (counting(), measured());
    }
}
