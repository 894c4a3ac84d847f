//! Who sits where: one seat for each connection the pool may have, and a queue.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::connection::Connection;
use super::lease::Lease;

/// The seats of a pool.
pub(super) struct Seats {
    seats: Vec<Seat>,
    queue: VecDeque<oneshot::Sender<Lease>>,
    is_closed: bool,
    is_retired: bool,
}

enum Seat {
    /// No connection.
    Empty,
    /// A connection that nobody uses. On the heap: seats are few and move often.
    Idle(Box<Connection>),
    /// Somebody has it, or is opening it.
    Taken,
}

/// What somebody who asks for a connection is told.
pub(super) enum Answer {
    /// Take this seat; without a connection it is yours to open one.
    Seat(usize, Option<Box<Connection>>),
    /// Wait for your turn.
    Wait(oneshot::Receiver<Lease>),
    /// There are no more.
    Closed,
}

impl Seats {
    pub(super) fn new(width: usize) -> Self {
        Self {
            seats: (0..width).map(|_| Seat::Empty).collect(),
            queue: VecDeque::new(),
            is_closed: false,
            is_retired: false,
        }
    }

    /// Finds a seat. A visitor gets its own, then one whose backend knows it, then any other.
    pub(super) fn ask(&mut self, visitor: Option<Uuid>) -> Answer {
        if self.is_closed {
            return Answer::Closed;
        }
        match self.choose(visitor) {
            Some(seat) => match std::mem::replace(&mut self.seats[seat], Seat::Taken) {
                Seat::Idle(connection) => Answer::Seat(seat, Some(connection)),
                Seat::Empty | Seat::Taken => Answer::Seat(seat, None),
            },
            None => {
                let (sender, receiver) = oneshot::channel();
                self.queue.push_back(sender);
                Answer::Wait(receiver)
            }
        }
    }

    fn choose(&self, visitor: Option<Uuid>) -> Option<usize> {
        let Some(visitor) = visitor else {
            return self.first_idle().or_else(|| self.first_empty());
        };
        let own = own_seat(visitor, self.seats.len());
        if matches!(self.seats[own], Seat::Idle(_) | Seat::Empty) {
            return Some(own);
        }
        let knows = |seat: &Seat| matches!(seat, Seat::Idle(it) if it.knows(visitor));
        self.seats
            .iter()
            .position(knows)
            .or_else(|| self.first_idle())
            .or_else(|| self.first_empty())
    }

    fn first_idle(&self) -> Option<usize> {
        let is_idle = |seat: &Seat| matches!(seat, Seat::Idle(_));
        self.seats.iter().position(is_idle)
    }

    fn first_empty(&self) -> Option<usize> {
        let is_empty = |seat: &Seat| matches!(seat, Seat::Empty);
        self.seats.iter().position(is_empty)
    }

    /// The one who has waited longest, and still waits.
    pub(super) fn next_in_queue(&mut self) -> Option<oneshot::Sender<Lease>> {
        while let Some(next) = self.queue.pop_front() {
            if !next.is_closed() {
                return Some(next);
            }
        }
        None
    }

    /// Leaves a seat. Returns the connection if it isn't to be kept.
    pub(super) fn leave(
        &mut self,
        seat: usize,
        connection: Option<Box<Connection>>,
    ) -> Option<Box<Connection>> {
        match connection {
            Some(mut connection) if !self.is_closed && !self.is_retired => {
                connection.last_used = Instant::now();
                self.seats[seat] = Seat::Idle(connection);
                None
            }
            unwanted => {
                self.seats[seat] = Seat::Empty;
                unwanted
            }
        }
    }

    /// Takes out the connections that nobody has used since then.
    pub(super) fn take_idle_since(&mut self, then: Instant) -> Vec<Connection> {
        self.take(|connection| connection.last_used < then)
    }

    /// Keeps none from now on; takes out those that lie idle.
    pub(super) fn retire(&mut self) -> Vec<Connection> {
        self.is_retired = true;
        self.take(|_| true)
    }

    /// Gives out none from now on; takes out those that lie idle, and whoever waits.
    pub(super) fn close(&mut self) -> (Vec<Connection>, VecDeque<oneshot::Sender<Lease>>) {
        self.is_closed = true;
        (self.take(|_| true), std::mem::take(&mut self.queue))
    }

    /// Connections that are open, seats that are taken, and how many wait.
    pub(super) fn census(&self) -> (usize, usize, usize) {
        let taken = |seat: &&Seat| matches!(seat, Seat::Taken);
        let idle = |seat: &&Seat| matches!(seat, Seat::Idle(_));
        let taken = self.seats.iter().filter(taken).count();
        let idle = self.seats.iter().filter(idle).count();
        let waiting = self.queue.iter().filter(|it| !it.is_closed()).count();
        (idle + taken, taken, waiting)
    }

    fn take(&mut self, is_wanted: impl Fn(&Connection) -> bool) -> Vec<Connection> {
        let mut taken = Vec::new();
        for seat in &mut self.seats {
            match std::mem::replace(seat, Seat::Empty) {
                Seat::Idle(connection) if is_wanted(&connection) => taken.push(*connection),
                other => *seat = other,
            }
        }
        taken
    }
}

/// Spreads visitors evenly: the last bits of an id are random.
fn own_seat(visitor: Uuid, width: usize) -> usize {
    let (_, low) = visitor.as_u64_pair();
    usize::try_from(low % width as u64).unwrap_or(0)
}
