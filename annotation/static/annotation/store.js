/**
 * Where unconfirmed answers lie: IndexedDB, so that a closed browser loses nothing, or memory where there is none.
 */

const DATABASE = "closer";
const ANSWERS = "unconfirmed-judgments";
const OPENING_MS = 4000;

/**
 * The best store this browser has; `lasting` says whether it outlives the page. A preview's answers go nowhere, and
 * must not meet those of people: they stay in memory.
 */
export async function openStore({ preview = false } = {}) {
  if (preview) return new MemoryStore({ lasting: true });
  try {
    return new IndexedStore(await openDatabase());
  } catch (error) {
    console.info("Answers are kept in memory only:", error.message);
    return new MemoryStore();
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = globalThis.indexedDB.open(DATABASE, 1);
    const late = () => reject(new Error("the browser's database did not open"));
    setTimeout(late, OPENING_MS);
    request.onupgradeneeded = () => request.result.createObjectStore(ANSWERS, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = late;
  });
}

class IndexedStore {
  lasting = true;

  constructor(database) {
    this.database = database;
  }

  /** All answers that were never confirmed, in the order they were given. */
  async all() {
    const found = await this.#do("readonly", (answers) => answers.getAll());
    return found.sort((one, other) => one.given_at - other.given_at);
  }

  put(judgment) {
    return this.#do("readwrite", (answers) => answers.put(judgment));
  }

  delete(id) {
    return this.#do("readwrite", (answers) => answers.delete(id));
  }

  #do(mode, act) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(ANSWERS, mode);
      const request = act(transaction.objectStore(ANSWERS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }
}

/** For a private window without a database: the same, until the page is closed. */
class MemoryStore {
  #kept = new Map();

  constructor({ lasting = false } = {}) {
    this.lasting = lasting;
  }

  async all() {
    return [...this.#kept.values()];
  }

  async put(judgment) {
    this.#kept.set(judgment.id, judgment);
  }

  async delete(id) {
    this.#kept.delete(id);
  }
}
