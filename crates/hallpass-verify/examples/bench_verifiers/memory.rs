//! What ended sessions take: whoever started us looks at our memory before and after.

use crate::{Fault, say};
use hallpass_verify::{Revocations, SessionId, Timestamp};
use std::hint::black_box;
use std::io::BufRead as _;

/// Each line that is read is a number: so many sessions have ended then in all.
pub(crate) fn run() -> Result<(), Fault> {
    let revocations = Revocations::default();
    let mut ended: u128 = 0;
    say(&0.into());
    for line in std::io::stdin().lock().lines() {
        let count: u128 = line?.trim().parse()?;
        while ended < count {
            // Ids are random; an odd factor spreads the numbers over all of their bits.
            let id = ended.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let session = SessionId::from_bytes(id.to_be_bytes());
            revocations.end_session(session, Timestamp::from_seconds(u64::MAX / 1000));
            ended += 1;
        }
        say(&black_box(&revocations).len().into());
    }
    Ok(())
}
