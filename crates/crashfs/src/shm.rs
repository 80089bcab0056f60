//! The shared memory of a WAL database (its `-shm` file) between the connections of one process: regions that
//! all of them map, and eight locks. It is memory, so a crash forgets it.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};

use crate::locks::{Busy, HandleId};

/// One region. SQLite writes to it through its address from several threads, which is what atomics allow.
#[derive(Debug)]
pub(crate) struct Region(Box<[AtomicU64]>);

impl Region {
    fn new(size: usize) -> Self {
        Self((0..size.div_ceil(8)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn address(&self) -> *mut core::ffi::c_void {
        self.0.as_ptr().cast_mut().cast()
    }
}

/// How a slot is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    shared: u8,
    exclusive: u8,
}

/// The shared memory of one database.
#[derive(Debug, Default)]
pub(crate) struct Shm {
    regions: Vec<Arc<Region>>,
    holders: BTreeMap<HandleId, Held>,
}

impl Shm {
    /// The region with this number, made now if it is new and `extend` allows it. The caller keeps it alive.
    pub(crate) fn map(
        &mut self,
        handle: HandleId,
        number: usize,
        size: usize,
        extend: bool,
    ) -> Option<Arc<Region>> {
        self.holders.entry(handle).or_default();
        while self.regions.len() <= number && extend {
            self.regions.push(Arc::new(Region::new(size)));
        }
        self.regions.get(number).cloned()
    }

    pub(crate) fn lock(&mut self, handle: HandleId, slots: u8, mode: Mode) -> Result<(), Busy> {
        let others = self.holders.iter().filter(|(holder, _)| **holder != handle);
        let taken = others.fold(Held::default(), |sum, (_, held)| Held {
            shared: sum.shared | held.shared,
            exclusive: sum.exclusive | held.exclusive,
        });
        let in_the_way = match mode {
            Mode::Shared => taken.exclusive,
            Mode::Exclusive => taken.exclusive | taken.shared,
        };
        if in_the_way & slots != 0 {
            return Err(Busy);
        }
        let held = self.holders.entry(handle).or_default();
        match mode {
            Mode::Shared => held.shared |= slots,
            Mode::Exclusive => held.exclusive |= slots,
        }
        Ok(())
    }

    pub(crate) fn unlock(&mut self, handle: HandleId, slots: u8) {
        if let Some(held) = self.holders.get_mut(&handle) {
            held.shared &= !slots;
            held.exclusive &= !slots;
        }
    }

    /// The handle lets go; the last one takes the memory with it.
    pub(crate) fn unmap(&mut self, handle: HandleId) {
        self.holders.remove(&handle);
        if self.holders.is_empty() {
            self.regions.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_map_the_same_memory_until_the_last_one_leaves() {
        let (a, b) = (HandleId(1), HandleId(2));
        let mut shm = Shm::default();
        assert!(shm.map(a, 0, 32, false).is_none());
        let first = shm.map(a, 0, 32, true).unwrap();
        assert_eq!(shm.map(b, 0, 32, false).unwrap().address(), first.address());
        shm.unmap(a);
        assert!(shm.map(b, 0, 32, false).is_some());
        shm.unmap(b);
        assert!(shm.map(b, 0, 32, false).is_none());
    }

    #[test]
    fn an_exclusive_slot_excludes_all_others_and_shared_ones_only_that() {
        let (a, b) = (HandleId(1), HandleId(2));
        let mut shm = Shm::default();
        shm.lock(a, 0b0001, Mode::Shared).unwrap();
        shm.lock(b, 0b0001, Mode::Shared).unwrap();
        assert_eq!(shm.lock(b, 0b0011, Mode::Exclusive), Err(Busy));
        shm.unlock(a, 0b0001);
        shm.lock(b, 0b0010, Mode::Exclusive).unwrap();
        assert_eq!(shm.lock(a, 0b0010, Mode::Shared), Err(Busy));
        shm.lock(a, 0b0001, Mode::Shared).unwrap();
    }
}
