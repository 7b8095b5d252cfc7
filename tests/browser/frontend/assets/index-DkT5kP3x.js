// A page that calls the API as the platform's does: a bearer that it keeps, cookies beside it, made-up CSRF tokens.
const API = window.__API_BASE_URL__;
const unsafe = ["POST", "PUT", "PATCH", "DELETE"];

async function call(method, path, { body, token, credentials = "include" } = {}) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (unsafe.includes(method)) headers["X-CSRF-Token"] = crypto.randomUUID();
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(API + path, { method, headers, credentials, body: sent });
  return { status: answer.status, body: await answer.json(), requestId: answer.headers.get("x-request-id") };
}

function heard(address, frame, event) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    socket.onopen = () => socket.send(JSON.stringify(frame));
    socket.onerror = () => reject(new Error("the socket was refused"));
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(data);
      if (told.event !== event) return;
      socket.close();
      resolve(told);
    };
  });
}

window.counter = { call, heard };
document.getElementById("root").textContent = `At ${location.pathname}`;
