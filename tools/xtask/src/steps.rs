//! Steps that run one after the other, and the table of them at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps so far. A step that fails does not keep the later ones from running.
#[derive(Debug)]
pub struct Steps {
    total: usize,
    done: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    ok: bool,
}

impl Steps {
    /// No step yet, of this many to come.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let done = Vec::new();
        Self { total, done }
    }

    /// Runs a step, whose output is printed as it comes.
    pub async fn run(&mut self, name: &str, title: &str, step: impl Future<Output = Result<()>>) {
        println!("\n[{}/{}] {title}", self.done.len() + 1, self.total);
        let start = Instant::now();
        let result = step.await;
        let took = start.elapsed();
        let ok = result.is_ok();
        match result {
            Ok(()) => println!("{name}: ok ({:.1} s)", took.as_secs_f64()),
            Err(error) => println!("{name}: FAILED ({:.1} s): {error:#}", took.as_secs_f64()),
        }
        let name = name.to_owned();
        self.done.push(Step { name, took, ok });
    }

    /// Prints the table. The exit code is 0 only if steps ran and none failed.
    #[must_use]
    pub fn finish(&self) -> ExitCode {
        println!("\n{}", self.table());
        if self.done.is_empty() || self.done.iter().any(|step| !step.ok) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn table(&self) -> String {
        let names = self.done.iter().map(|step| step.name.len());
        let width = names.max().unwrap_or_default().max("step".len());
        let mut table = format!("{:<width$} {:>8}  result\n", "step", "seconds");
        for Step { name, took, ok } in &self.done {
            let result = if *ok { "ok" } else { "FAILED" };
            let seconds = took.as_secs_f64();
            table += &format!("{name:<width$} {seconds:>8.1}  {result}\n");
        }
        let failed = self.done.iter().filter(|step| !step.ok);
        let failed: Vec<&str> = failed.map(|step| step.name.as_str()).collect();
        if failed.is_empty() {
            table + &format!("all {} steps are ok", self.done.len())
        } else {
            table + &format!("{} FAILED: {}", failed.len(), failed.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[tokio::test]
    async fn a_step_that_fails_is_in_the_table_and_the_next_one_runs() {
        let mut steps = Steps::new(2);
        steps
            .run("doc", "documentation", async {
                Err(anyhow!("a dead link"))
            })
            .await;
        steps.run("fmt", "formatting", async { Ok(()) }).await;
        let table = steps.table();
        assert_eq!(
            table,
            "step  seconds  result\n\
             doc       0.0  FAILED\n\
             fmt       0.0  ok\n\
             1 FAILED: doc"
        );
        assert_eq!(steps.finish(), ExitCode::FAILURE);
    }

    #[tokio::test]
    async fn only_steps_that_ran_are_a_success() {
        let mut steps = Steps::new(1);
        assert_eq!(steps.finish(), ExitCode::FAILURE);
        steps.run("fmt", "formatting", async { Ok(()) }).await;
        assert_eq!(steps.finish(), ExitCode::SUCCESS);
        assert!(steps.table().ends_with("all 1 steps are ok"));
    }
}
