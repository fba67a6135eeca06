//! Argon2id (RFC 9106), by the crate `argon2`.

use super::{HashError, PasswordHasher, SALT_LEN, Verdict};
use crate::user::{Password, PasswordHash};
use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use constant_time_eq::constant_time_eq;

/// The most memory a stored hash may ask for, in KiB: a row that somebody planted must not be
/// able to take the machine's memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const HASH_LEN: usize = 32;

/// What one hash costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Argon2idCost {
    /// Memory, in KiB. Default: 19,456 (19 MiB).
    pub memory_kib: u32,
    /// Passes over the memory. Default: 2.
    pub iterations: u32,
    /// Lanes. Default: 1: with more sign-ins than cores, lanes only cost.
    pub parallelism: u32,
}

impl Default for Argon2idCost {
    /// The OWASP minimum: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// Argon2id with a fixed cost for new hashes; it reads hashes of any cost.
pub struct Argon2id {
    params: Params,
    memory: Vec<Block>,
}

impl Argon2id {
    /// Returns a hasher for this cost.
    ///
    /// # Errors
    /// When the numbers are outside what RFC 9106 §3.1 allows.
    pub fn new(cost: Argon2idCost) -> Result<Self, HashError> {
        if cost.memory_kib > MEMORY_KIB_MAX {
            return Err(HashError::Failed("more than 1 GiB of memory for one hash"));
        }
        let params = Params::new(
            cost.memory_kib,
            cost.iterations,
            cost.parallelism,
            Some(HASH_LEN),
        )
        .map_err(|_| HashError::Failed("expected parameters of RFC 9106 §3.1"))?;
        Ok(Self {
            params,
            memory: Vec::new(),
        })
    }

    fn run(
        &mut self,
        params: &Params,
        password: &Password,
        salt: &[u8],
    ) -> Result<[u8; HASH_LEN], HashError> {
        if self.memory.len() < params.block_count() {
            self.memory.resize(params.block_count(), Block::default());
        }
        let mut hash = [0; HASH_LEN];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(
                password.expose().as_bytes(),
                salt,
                &mut hash,
                self.memory.as_mut_slice(),
            )
            .map_err(|_| HashError::Failed("argon2id"))?;
        Ok(hash)
    }
}

impl PasswordHasher for Argon2id {
    fn hash(
        &mut self,
        password: &Password,
        salt: &[u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError> {
        let params = self.params.clone();
        let hash = self.run(&params, password, salt)?;
        let phc = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&params)
                .try_into()
                .map_err(|_| HashError::Failed("phc parameters"))?,
            salt: Some(phc::Salt::new(salt).map_err(|_| HashError::Failed("phc salt"))?),
            hash: Some(phc::Output::new(&hash).map_err(|_| HashError::Failed("phc hash"))?),
        };
        Ok(PasswordHash::new(phc.to_string()))
    }

    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError> {
        let unreadable = || HashError::UnreadableHash;
        let phc = phc::PasswordHash::new(stored.expose()).map_err(|_| unreadable())?;
        let params = Params::try_from(&phc).map_err(|_| unreadable())?;
        let is_ours = phc.algorithm == Algorithm::Argon2id.ident()
            && phc.version == Some(Version::V0x13.into())
            && params.m_cost() <= MEMORY_KIB_MAX;
        let (Some(salt), Some(expected), true) = (phc.salt, phc.hash, is_ours) else {
            return Err(unreadable());
        };
        if expected.len() != HASH_LEN {
            return Err(unreadable());
        }
        let hash = self.run(&params, password, salt.as_ref())?;
        if !constant_time_eq(&hash, expected.as_bytes()) {
            return Ok(Verdict::Wrong);
        }
        let is_current = params.m_cost() == self.params.m_cost()
            && params.t_cost() == self.params.t_cost()
            && params.p_cost() == self.params.p_cost();
        Ok(if is_current {
            Verdict::Right
        } else {
            Verdict::RightButOutdated
        })
    }
}

impl std::fmt::Debug for Argon2id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Argon2id({:?})", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Argon2idCost = Argon2idCost {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };

    fn password(text: &str) -> Password {
        Password::presented(text).unwrap()
    }

    #[test]
    fn a_password_is_right_wrong_or_due_for_a_new_hash() {
        let mut cheap = Argon2id::new(CHEAP).unwrap();
        let stored = cheap.hash(&password("correct horse"), &[7; 16]).unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(
            cheap.verify(&password("correct horse"), &stored).unwrap(),
            Verdict::Right
        );
        assert_eq!(
            cheap.verify(&password("correct horsf"), &stored).unwrap(),
            Verdict::Wrong
        );
        let mut dear = Argon2id::new(Argon2idCost {
            iterations: 2,
            ..CHEAP
        })
        .unwrap();
        assert_eq!(
            dear.verify(&password("correct horse"), &stored).unwrap(),
            Verdict::RightButOutdated
        );
    }

    // The reference implementation's own known answer for these inputs.
    #[test]
    fn the_default_cost_gives_the_known_answer() {
        let params = Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut hasher = Argon2id::new(Argon2idCost::default()).unwrap();
        let hash = hasher
            .run(&params, &password("password"), b"somesalt")
            .unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        let expected: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&expected[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(hash, *expected);
    }

    #[test]
    fn a_planted_hash_cannot_take_the_memory_or_a_panic() {
        let mut hasher = Argon2id::new(CHEAP).unwrap();
        let tail = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for head in [
            "",
            "x",
            "$argon2id$v=19$m=4294967295,t=2,p=1",
            "$argon2i$v=19$m=64,t=1,p=1",
            "$argon2id$v=16$m=64,t=1,p=1",
            "$argon2id$v=19$m=64,t=0,p=1",
            "$2b$12$abc",
        ] {
            let stored = PasswordHash::new(format!("{head}{tail}"));
            assert!(
                hasher.verify(&password("password"), &stored).is_err(),
                "{head}"
            );
        }
    }
}
