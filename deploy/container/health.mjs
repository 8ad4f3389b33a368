// The health check of the image: whether the service in this container is ready; the reasons where it is not.
const answer = await fetch('http://127.0.0.1:8080/readyz').catch((error) => ({ ok: false, text: () => String(error) }));
console.log(await answer.text());
process.exit(answer.ok ? 0 : 1);
