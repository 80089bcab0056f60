//! `sqlite3_io_methods`: what SQLite does with an open file.

use std::{
    ffi::{c_int, c_void},
    ptr, slice,
    sync::{
        Arc, Mutex,
        atomic::{Ordering, fence},
    },
};

use rusqlite::ffi;

use super::vfs::lock;
use crate::{
    locks::{Busy, Level},
    machine::{Machine, Opened, Refusal},
    shm::{Mode, Region},
};

/// What SQLite says of the file system to itself on Linux.
const SECTOR_SIZE: c_int = 4096;

/// An open file as SQLite has it: its own part first, then ours.
#[repr(C)]
pub(super) struct File {
    base: ffi::sqlite3_file,
    handle: *mut Handle,
}

impl File {
    /// Leaves a file that was not opened.
    pub(super) fn clear(&mut self) {
        self.base.pMethods = ptr::null();
        self.handle = ptr::null_mut();
    }

    pub(super) fn fill(&mut self, handle: Handle) {
        self.handle = Box::into_raw(Box::new(handle));
        self.base.pMethods = &raw const METHODS;
    }
}

/// An open file as we have it.
pub(super) struct Handle {
    pub(super) machine: Arc<Mutex<Machine>>,
    pub(super) opened: Opened,
    pub(super) name: Option<String>,
    /// The first sync of a journal that may have been created by its opening syncs its directory too.
    pub(super) sync_directory: bool,
    pub(super) delete_on_close: bool,
    /// Keeps mapped memory alive until the file is closed, whatever happened to the machine meanwhile.
    pub(super) regions: Vec<Arc<Region>>,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(raise_lock),
    xUnlock: Some(lower_lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The handle of a file that is open. SQLite uses a file from one thread at a time, so no two of these
/// references live together.
///
/// # Safety
/// `file` was filled by [`File::fill`] and not closed since.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: by the caller's word; the box lives until xClose.
    unsafe { &mut *(*file.cast::<File>()).handle }
}

fn code(result: Result<(), Refusal>, io: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Full) => ffi::SQLITE_FULL,
        // What a write to a file that was open when the disk became read-only meets.
        Err(Refusal::Io | Refusal::Missing | Refusal::ReadOnly) => io,
    }
}

fn offset(offset: ffi::sqlite3_int64) -> usize {
    usize::try_from(offset).expect("SQLite's offsets are not negative")
}

fn length(length: c_int) -> usize {
    usize::try_from(length).expect("SQLite's lengths are not negative")
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite closes a file once, and only one that was filled: the box is taken back from it.
    let handle = unsafe { Box::from_raw((*file).handle) };
    // SAFETY: the memory of the file is SQLite's and still there.
    unsafe { (*file).clear() };
    let mut machine = lock(&handle.machine);
    machine.close(handle.opened);
    if handle.delete_on_close
        && let Some(name) = &handle.name
    {
        // As close(2) does: whether the name went is nobody's business any more.
        let _ = machine.delete(name, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    // SAFETY: the buffer has `amount` bytes and is only written here.
    let buffer = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), length(amount)) };
    let wanted = buffer.len();
    match lock(&handle.machine).read(handle.opened, buffer, offset(at)) {
        Ok(had) if had == wanted => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    // SAFETY: there are `amount` bytes, which nobody changes meanwhile.
    let bytes = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), length(amount)) };
    code(lock(&handle.machine).write(handle.opened, bytes, offset(at)), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    code(lock(&handle.machine).truncate(handle.opened, offset(size)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let directory_of = handle.name.as_deref().filter(|_| handle.sync_directory);
    let result = lock(&handle.machine).sync(handle.opened, directory_of);
    handle.sync_directory &= result.is_err();
    code(result, ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let Ok(len) = lock(&handle.machine).len(handle.opened) else { return ffi::SQLITE_IOERR_FSTAT };
    // SAFETY: SQLite wants an integer here.
    unsafe { *size = i64::try_from(len).expect("files fit in memory") };
    ffi::SQLITE_OK
}

unsafe extern "C" fn raise_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let mut machine = lock(&handle.machine);
    match machine
        .locks(handle.opened)
        .map(|locks| locks.raise(handle.opened.handle, Level::from_sqlite(level)))
    {
        Ok(Ok(())) => ffi::SQLITE_OK,
        Ok(Err(Busy)) => ffi::SQLITE_BUSY,
        Err(_) => ffi::SQLITE_IOERR_LOCK,
    }
}

unsafe extern "C" fn lower_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    if let Ok(locks) = lock(&handle.machine).locks(handle.opened) {
        locks.lower(handle.opened.handle, Level::from_sqlite(level));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let mut machine = lock(&handle.machine);
    let Ok(locks) = machine.locks(handle.opened) else { return ffi::SQLITE_IOERR_CHECKRESERVEDLOCK };
    // SAFETY: SQLite wants an int here.
    unsafe { *result = c_int::from(locks.is_reserved()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _op: c_int, _arg: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_SIZE
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    number: c_int,
    size: c_int,
    extend: c_int,
    address: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let mapped = lock(&handle.machine).map_shm(handle.opened, length(number), length(size), extend != 0);
    let (region, code) = match mapped {
        Ok(region) => (region, ffi::SQLITE_OK),
        Err(Refusal::ReadOnly) => (None, ffi::SQLITE_READONLY_CANTINIT),
        Err(Refusal::Io | Refusal::Full | Refusal::Missing) => (None, ffi::SQLITE_IOERR_SHMMAP),
    };
    // SAFETY: SQLite wants a pointer here.
    unsafe { *address = region.as_ref().map_or(ptr::null_mut(), |region| region.address()) };
    handle.regions.extend(region);
    code
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    let slots = (first..first + count).fold(0_u8, |slots, slot| slots | 1 << slot);
    let mut machine = lock(&handle.machine);
    let unlocks = flags & ffi::SQLITE_SHM_UNLOCK != 0;
    let mode = if flags & ffi::SQLITE_SHM_SHARED != 0 { Mode::Shared } else { Mode::Exclusive };
    match machine.shm(handle.opened) {
        Ok(shm) if unlocks => shm.unlock(handle.opened.handle, slots),
        Ok(shm) => {
            if shm.lock(handle.opened.handle, slots, mode) == Err(Busy) {
                return ffi::SQLITE_BUSY;
            }
        }
        // What is dead holds no locks.
        Err(_) if unlocks => {}
        Err(_) => return ffi::SQLITE_IOERR_SHMLOCK,
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    // As SQLite's own VFS: a fence, and a pass through a lock for those who do not believe in it.
    fence(Ordering::SeqCst);
    drop(lock(&handle.machine));
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    if let Ok(shm) = lock(&handle.machine).shm(handle.opened) {
        shm.unmap(handle.opened.handle);
    }
    handle.regions.clear();
    ffi::SQLITE_OK
}
