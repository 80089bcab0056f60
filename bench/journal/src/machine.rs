//! What the figures were taken on, and what a process takes of it.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path, thread, time::Instant};

use anyhow::{Context, Result};

/// Processor, cores, and what an fsync costs in the directory of the databases: the figures hang on it more than
/// on anything else.
pub(crate) fn describe(directory: &Path) -> Result<BTreeMap<&'static str, String>> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, it)| it);
    let cores = thread::available_parallelism().map_or(0, usize::from);
    Ok(BTreeMap::from([
        ("processor", format!("{}, {cores} cores", model.unwrap_or("unknown"))),
        ("fsync of 4 KiB, median", format!("{:.0} µs", fsync_us(directory)?)),
    ]))
}

fn fsync_us(directory: &Path) -> Result<f64> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// This process's memory in MB: now, and the most it ever was.
pub(crate) fn memory_mb() -> Result<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
        let kb: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kb / 1024.0)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}
