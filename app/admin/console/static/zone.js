// Tells the server the viewer's time zone, so that "today" begins when the viewer's day does.
document.cookie =
  `voltbridge_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; Path=/; SameSite=Lax; Max-Age=31536000`;
