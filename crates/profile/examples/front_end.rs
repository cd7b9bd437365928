//! A front end of a profile: reads calls from standard input and writes updates to standard
//! output, a line of JSON each. The smallest one there can be, and what the tests start.
//!
//! ```text
//! front_end FOLDER REGISTRY HELLO_PORT ADDRESS [--one-shot] [--login NAME PASSWORD] [--id ID]
//! ```

use std::error::Error;
use std::process::ExitCode;

use p2pchat_model::{Call, FrontEndId};
use p2pchat_profile::{Login, Options, Profile};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run());
    // A read of standard input that waits is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (options, id) = options()?;
    let profile = Profile::open(options).await?;
    match profile.attachment() {
        Some(owner) => eprintln!("attached to {owner}"),
        None => eprintln!("runs the peer"),
    }
    let ended = serve(&profile, id).await;
    profile.close().await?;
    ended
}

/// Passes lines on until the input has ended.
async fn serve(profile: &Profile, id: FrontEndId) -> Result<(), Box<dyn Error>> {
    let mut front_end = profile.join(id)?;
    let mut input = BufReader::new(stdin()).lines();
    let mut output = stdout();
    loop {
        tokio::select! {
            line = input.next_line() => match line? {
                Some(line) => front_end.calls.send(Call::from_json(&line)?).await?,
                None => return Ok(()),
            },
            update = front_end.updates.next() => {
                let mut line = serde_json::to_vec(&update?)?;
                line.push(b'\n');
                output.write_all(&line).await?;
                output.flush().await?;
            }
        }
    }
}

fn options() -> Result<(Options, FrontEndId), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let mut options = Options {
        folder: Some(next()?.into()),
        peer: p2pchat_peer::Options {
            registry: next()?,
            hello_port: next()?.parse()?,
            address: Some(next()?.parse()?),
            unprivileged: true,
            ..p2pchat_peer::Options::default()
        },
        program: "front_end",
        takes_over: true,
        login: None,
    };
    let folder = options.folder.clone().unwrap_or_default();
    options.peer.history = Some(folder.join("history.sqlite3"));
    let mut id = FrontEndId::random(rand::random());
    while let Ok(flag) = next() {
        match flag.as_str() {
            "--one-shot" => options.takes_over = false,
            "--login" => {
                options.login = Some(Login {
                    name: next()?.parse()?,
                    password: next()?.parse()?,
                });
            }
            "--id" => id = FrontEndId::new(&next()?)?,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    Ok((options, id))
}
