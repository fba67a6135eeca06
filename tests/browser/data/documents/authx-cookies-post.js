// JavaScript client
const csrfToken = getCookie('csrf_access_token');

fetch('http://localhost:8000/posts', {
    method: 'POST',
    headers: {
        'Content-Type': 'application/json',
        'X-CSRF-TOKEN': csrfToken  // Required for cookie-based auth
    },
    credentials: 'include',  // Include cookies
    body: JSON.stringify({title: 'New Post'})
});

function getCookie(name) {
    const value = `; ${document.cookie}`;
    const parts = value.split(`; ${name}=`);
    if (parts.length === 2) return parts.pop().split(';').shift();
}
