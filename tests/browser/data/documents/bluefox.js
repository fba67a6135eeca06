//// login
const res = await fetch("/auth/login", {
  method: "POST",
  credentials: "include",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ email, password }),
});
//// read
// Cookies are sent automatically — no extra headers needed
const res = await fetch("/auth/me", { credentials: "include" });
const user = await res.json();
//// csrf
function getCsrfToken() {
  return document.cookie
    .split("; ")
    .find(row => row.startsWith("bf_csrf_token="))
    ?.split("=")[1];
}
//// change
const res = await fetch("/some-protected-endpoint", {
  method: "POST",
  credentials: "include",
  headers: {
    "Content-Type": "application/json",
    "X-CSRF-Token": getCsrfToken(),
  },
  body: JSON.stringify({ ... }),
});
//// refresh
const res = await fetch("/auth/refresh", {
  method: "POST",
  credentials: "include",
  headers: { "X-CSRF-Token": getCsrfToken() },
});
// New cookies are set automatically in the response
//// logout
await fetch("/auth/logout", {
  method: "POST",
  credentials: "include",
  headers: { "X-CSRF-Token": getCsrfToken() },
});
// Cookies are cleared by the response
