// Sets the colour scheme before the first paint, so that a dark screen never flashes white.
// A file of its own since the content security policy allows no inline script.
(() => {
  let wanted = 'auto';
  try {
    wanted = localStorage.getItem('metastore.color-scheme') || 'auto';
  } catch {
    // Storage may be blocked; the system's scheme is used then.
  }
  const dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
