//! Who is in the loop: places that are used again, each with a generation.

use super::listener::Listener;
use super::stream::Stream;
use crate::events::Token;

/// One who is in the loop.
#[derive(Debug)]
pub(super) enum Endpoint {
    Listener(Listener),
    Stream(Stream),
}

/// A place, taken or free.
#[derive(Debug)]
struct Place {
    generation: u32,
    endpoint: Option<Endpoint>,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    places: Vec<Place>,
    free: Vec<u32>,
}

impl Endpoints {
    /// Gives an endpoint a place.
    pub(super) fn insert(&mut self, endpoint: Endpoint) -> Token {
        if let Some(place) = self.free.pop() {
            let entry = &mut self.places[place as usize];
            entry.endpoint = Some(endpoint);
            return Token { place, generation: entry.generation };
        }
        self.places.push(Place { generation: 0, endpoint: Some(endpoint) });
        Token { place: (self.places.len() - 1) as u32, generation: 0 }
    }

    /// Takes an endpoint out; what was meant for it reaches nobody from now on.
    pub(super) fn remove(&mut self, token: Token) -> Option<Endpoint> {
        let entry = self.places.get_mut(token.place as usize)?;
        if entry.generation != token.generation {
            return None;
        }
        let endpoint = entry.endpoint.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(token.place);
        Some(endpoint)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut Endpoint> {
        let entry = self.places.get_mut(token.place as usize)?;
        entry.endpoint.as_mut().filter(|_| entry.generation == token.generation)
    }

    pub(super) fn stream(&mut self, token: Token) -> Option<&mut Stream> {
        match self.get_mut(token)? {
            Endpoint::Stream(stream) => Some(stream),
            Endpoint::Listener(_) => None,
        }
    }

    /// Everybody, with their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Token, &Endpoint)> {
        self.places.iter().enumerate().filter_map(|(place, entry)| {
            let token = Token { place: place as u32, generation: entry.generation };
            entry.endpoint.as_ref().map(|endpoint| (token, endpoint))
        })
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        self.places.iter_mut().filter_map(|entry| entry.endpoint.as_mut())
    }

    /// The names of those for whom `is` holds.
    pub(super) fn tokens_where(&self, is: impl Fn(&Endpoint) -> bool) -> Vec<Token> {
        self.iter().filter(|(_, endpoint)| is(endpoint)).map(|(token, _)| token).collect()
    }
}
