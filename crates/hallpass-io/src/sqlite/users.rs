//! Users and their passwords.

use super::SqliteStore;
use super::columns::Column;
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::store::{Changed, Credentials, Inserted, StoreError, UserStore};
use hallpass_core::user::{EmailKey, PasswordHash, User};
use hallpass_verify::UserId;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// The columns of a user, in the order in which [`user`] reads them.
macro_rules! columns {
    () => {
        "id, email, name, roles, created_at"
    };
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert_user(
        &self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<Inserted, StoreError> {
        self.writer
            .write(InsertUser {
                user: user.clone(),
                password: copy(password),
            })
            .await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.readers.read("read a user", |connection| {
            connection
                .prepare_cached(concat!("SELECT ", columns!(), " FROM user WHERE id = ?1"))?
                .query_row([id.as_str()], user)
                .optional()
        })
    }

    async fn credentials(&self, email: &EmailKey) -> Result<Option<Credentials>, StoreError> {
        self.readers
            .read("read the credentials of a user", |connection| {
                connection
                    .prepare_cached(concat!(
                        "SELECT ",
                        columns!(),
                        ", password_hash FROM user WHERE email_key = ?1"
                    ))?
                    .query_row([email.as_str()], |row| {
                        Ok(Credentials {
                            user: user(row)?,
                            password: PasswordHash::new(row.get(5)?),
                        })
                    })
                    .optional()
            })
    }

    async fn replace_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<Changed, StoreError> {
        let (old, new) = (copy(old), copy(new));
        self.writer
            .write(ReplacePassword {
                user: user.clone(),
                old,
                new,
            })
            .await
    }

    async fn replace_roles(&self, user: &UserId, roles: &[String]) -> Result<Changed, StoreError> {
        self.writer
            .write(ReplaceRoles {
                user: user.clone(),
                roles: roles.to_vec(),
            })
            .await
    }

    async fn users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.readers.read("list users", |connection| {
            let mut statement = connection.prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM user WHERE id > ?1 ORDER BY id LIMIT ?2"
            ))?;
            // Every id is greater than the empty one.
            let after = after.map_or("", UserId::as_str);
            statement.query_map(params![after, limit], user)?.collect()
        })
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get::<_, Column<_>>(0)?.0,
        email: row.get::<_, Column<_>>(1)?.0,
        name: row.get(2)?,
        roles: row.get::<_, Column<_>>(3)?.0,
        created_at: row.get::<_, Column<_>>(4)?.0,
    })
}

/// A write outlives the call that asked for it.
fn copy(password: &PasswordHash) -> PasswordHash {
    PasswordHash::new(password.expose().to_owned())
}

struct InsertUser {
    user: User,
    password: PasswordHash,
}

impl Write for InsertUser {
    type Written = Inserted;
    const DOING: &'static str = "insert a user";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Inserted> {
        let User {
            id,
            email,
            name,
            roles,
            created_at,
        } = &self.user;
        let inserted = connection
            .prepare_cached(
                "INSERT INTO user (id, email, email_key, name, roles, created_at, password_hash) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (email_key) DO NOTHING",
            )?
            .execute(params![
                id.as_str(),
                email.as_str(),
                email.key().as_str(),
                name,
                Column(roles.as_slice()),
                Column(*created_at),
                self.password.expose(),
            ])?;
        Ok(if inserted == 0 {
            Inserted::EmailTaken
        } else {
            Inserted::Inserted
        })
    }
}

struct ReplacePassword {
    user: UserId,
    old: PasswordHash,
    new: PasswordHash,
}

impl Write for ReplacePassword {
    type Written = Changed;
    const DOING: &'static str = "replace a password";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        let replaced = connection
            .prepare_cached(
                "UPDATE user SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2",
            )?
            .execute(params![
                self.user.as_str(),
                self.old.expose(),
                self.new.expose()
            ])?;
        Ok(if replaced == 0 {
            Changed::Unchanged
        } else {
            Changed::Changed
        })
    }
}

struct ReplaceRoles {
    user: UserId,
    roles: Vec<String>,
}

impl Write for ReplaceRoles {
    type Written = Changed;
    const DOING: &'static str = "replace the roles of a user";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        let replaced = connection
            .prepare_cached("UPDATE user SET roles = ?2 WHERE id = ?1")?
            .execute(params![self.user.as_str(), Column(self.roles.as_slice())])?;
        Ok(if replaced == 0 {
            Changed::Unchanged
        } else {
            Changed::Changed
        })
    }
}
