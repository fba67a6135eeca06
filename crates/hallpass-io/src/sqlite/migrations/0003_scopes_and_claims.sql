-- What access tokens of a session say besides: scopes with blanks between, and a JSON object of the
-- app's own claims. Null is none, as in every session that was opened before.
ALTER TABLE session ADD COLUMN scopes TEXT;
ALTER TABLE session ADD COLUMN claims TEXT;
