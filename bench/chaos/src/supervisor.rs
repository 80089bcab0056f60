//! The service as a child process: started again whenever it ends, as systemd would, and ended as the plan says.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    history::{End, Life},
    run::now_ms,
};

/// Between an end and the next start.
const PAUSE: Duration = Duration::from_millis(60);
/// When a process that was asked to end has had its time.
const PATIENCE: Duration = Duration::from_secs(40);
/// When a kill that is owed is made good, after a start.
const OWED_AFTER: Duration = Duration::from_millis(150);
/// A process that is younger may not yet have said what SIGTERM means to it: then it ends of it at once.
const YOUNG: Duration = Duration::from_secs(3);

/// What to do with the process.
#[derive(Debug)]
pub(crate) enum Order {
    /// SIGKILL.
    Kill,
    /// SIGTERM; it is started again after it has ended.
    Terminate,
    /// SIGSTOP.
    Stop,
    /// SIGCONT.
    Go,
    /// SIGTERM, and no new start.
    Finish(oneshot::Sender<()>),
}

/// Whoever gives orders.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    orders: mpsc::UnboundedSender<Order>,
    seen: Arc<Mutex<Observed>>,
}

#[derive(Debug, Default)]
struct Observed {
    pid: Option<u32>,
    lives: Vec<Life>,
}

impl Supervisor {
    /// Starts it, and keeps starting it.
    pub(crate) fn start(
        command: impl Fn() -> anyhow::Result<Command> + Send + 'static,
    ) -> (Self, JoinHandle<anyhow::Result<()>>) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let seen = Arc::<Mutex<Observed>>::default();
        let supervised = tokio::spawn(supervise(command, inbox, Arc::clone(&seen)));
        (Self { orders, seen }, supervised)
    }

    /// Gives an order.
    pub(crate) fn order(&self, order: Order) {
        // The other side is there until the end.
        let _ = self.orders.send(order);
    }

    /// Ends it for good.
    pub(crate) async fn finish(&self) -> anyhow::Result<()> {
        let (done, ended) = oneshot::channel();
        self.order(Order::Finish(done));
        ended.await.context("the supervisor has ended")
    }

    /// The process that runs now.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).pid
    }

    /// All processes that have ended.
    pub(crate) fn lives(&self) -> Vec<Life> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).lives.clone()
    }
}

/// What the process was told last.
#[derive(Debug, Default)]
struct Told {
    killed_ms: Option<i64>,
    asked_ms: Option<i64>,
    finish: Option<oneshot::Sender<()>>,
}

async fn supervise(
    command: impl Fn() -> anyhow::Result<Command>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    seen: Arc<Mutex<Observed>>,
) -> anyhow::Result<()> {
    // A kill that met a process which had just ended by itself is owed to the next one.
    let mut owed = false;
    loop {
        let mut child = command()?.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let began_ms = now_ms();
        let observe = |observed: &dyn Fn(&mut Observed)| {
            observed(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let pid = child.id();
        observe(&|observed| observed.pid = pid);
        let mut told = Told::default();
        let status = loop {
            let patience = told.asked_ms.map(|asked| PATIENCE.saturating_sub(since(asked)));
            tokio::select! {
                status = child.wait() => break status?,
                () = tokio::time::sleep(OWED_AFTER), if owed => {
                    owed = false;
                    told.killed_ms = Some(now_ms());
                    signal(&child, Signal::KILL)?;
                    break child.wait().await?;
                }
                Some(order) = orders.recv() => {
                    obey(order, &child, &mut told)?;
                    if told.killed_ms.is_some() {
                        break child.wait().await?;
                    }
                }
                () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => {
                    signal(&child, Signal::KILL)?;
                    told.asked_ms = None;
                }
            }
        };
        let ended_ms = now_ms();
        owed |= told.killed_ms.is_some() && status.signal() != Some(9);
        let young = since(began_ms) < YOUNG;
        let end = end_of(status, &told, ended_ms, young);
        let end_began_ms = told.killed_ms.or(told.asked_ms).unwrap_or(ended_ms);
        let life = Life { began_ms, end_began_ms, ended_ms, end };
        observe(&|observed| {
            observed.pid = None;
            observed.lives.push(life.clone());
        });
        if let Some(done) = told.finish {
            // Whoever asked may have given up.
            let _ = done.send(());
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn since(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms() - ms).unwrap_or(0))
}

fn obey(order: Order, child: &Child, told: &mut Told) -> anyhow::Result<()> {
    match order {
        Order::Kill => {
            told.killed_ms = Some(now_ms());
            signal(child, Signal::KILL)
        }
        Order::Terminate => {
            told.asked_ms.get_or_insert_with(now_ms);
            signal(child, Signal::TERM)
        }
        Order::Finish(done) => {
            told.finish = Some(done);
            told.asked_ms.get_or_insert_with(now_ms);
            signal(child, Signal::CONT)?;
            signal(child, Signal::TERM)
        }
        Order::Stop => signal(child, Signal::STOP),
        Order::Go => signal(child, Signal::CONT),
    }
}

fn signal(child: &Child, signal: Signal) -> anyhow::Result<()> {
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    // It may be gone in this very moment, which is noticed next.
    if let Some(pid) = pid
        && let Err(error) = kill_process(pid, signal)
        && error != rustix::io::Errno::SRCH
    {
        return Err(error.into());
    }
    Ok(())
}

fn end_of(status: ExitStatus, told: &Told, ended_ms: i64, young: bool) -> End {
    if told.killed_ms.is_some() && status.signal() == Some(9) {
        return End::Killed;
    }
    match told.asked_ms {
        Some(asked) => {
            let before_it_began = young && status.signal() == Some(15);
            let code = if before_it_began { Some(0) } else { status.code() };
            End::Asked { code, took_ms: ended_ms - asked }
        }
        None => End::ByItself { code: status.code() },
    }
}
