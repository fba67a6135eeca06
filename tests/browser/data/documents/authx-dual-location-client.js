// Store access token in memory (not localStorage)
let accessToken = null;

// Login
async function login(username, password) {
  const response = await fetch('/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password }),
    credentials: 'include' // Important: send cookies
  });
  
  const data = await response.json();
  accessToken = data.access_token; // Store in memory
}

// Make API calls with access token
async function fetchProtectedData() {
  const response = await fetch('/protected', {
    headers: {
      'Authorization': `Bearer ${accessToken}`
    }
  });
  
  if (response.status === 401) {
    // Access token expired, refresh it
    await refreshToken();
    // Retry the request
    return fetchProtectedData();
  }
  
  return response.json();
}

// Refresh access token using refresh token cookie
async function refreshToken() {
  const response = await fetch('/refresh', {
    method: 'POST',
    credentials: 'include', // Send refresh token cookie
    headers: {
      'X-CSRF-TOKEN': getCsrfToken() // From cookie
    }
  });
  
  const data = await response.json();
  accessToken = data.access_token; // Update in-memory token
}

// Logout
async function logout() {
  await fetch('/logout', {
    method: 'POST',
    credentials: 'include'
  });
  
  accessToken = null; // Clear in-memory token
}
