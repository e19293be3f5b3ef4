/**
 * A form that takes a folder of pictures: a browser sends the files' names without their folders, so their paths
 * are sent beside them. Without this script the form takes a zip.
 */

for (const form of document.querySelectorAll("form[data-folder]")) {
  const [zip, folder] = form.querySelectorAll('input[type="file"]');
  if (!("webkitdirectory" in folder)) continue;
  form.querySelector("[data-folder-field]").hidden = false;
  zip.addEventListener("change", () => { folder.value = ""; });
  folder.addEventListener("change", () => { zip.value = ""; });
  form.addEventListener("submit", () => {
    for (const old of form.querySelectorAll('input[name="paths"]')) old.remove();
    for (const file of folder.files) {
      const path = document.createElement("input");
      path.type = "hidden";
      path.name = "paths";
      path.value = file.webkitRelativePath || file.name;
      form.append(path);
    }
  });
}
