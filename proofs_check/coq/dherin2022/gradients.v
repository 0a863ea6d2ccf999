(* Dherin et al. 2022, eqs 6 to 8: the squared gradient of a batch, in squares and alignments. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors pairs.
Import ListNotations.
Open Scope R_scope.

(* A sum of vectors: the square of its norm, by pairs of places, each met in both orders. *)
Lemma square_of_sum {A} (d : nat) (v : A -> vector) l :
  dot d (fun c => sum (fun a => v a c) l) (fun c => sum (fun a => v a c) l)
  = sum (fun a => dot d (v a) (v a)) l + 2 * over_pairs (fun a b => dot d (v a) (v b)) l.
Proof.
  rewrite <- (ordered_pairs (fun a b => dot d (v a) (v b)))
    by (intros; unfold dot; apply sum_eq; intros; ring).
  unfold dot. rewrite (sum_eq _ (fun c => sum (fun a => sum (fun b => v a c * v b c) l) l))
    by (intros; apply sum_product).
  rewrite sum_swap. apply sum_eq. intros a _. apply sum_swap.
Qed.

Section Batch.
  Variable p : nat. (* number of weights *)
  Notation dot := (dot p).

  (* Of one example: a residual and the gradient of an output for each label. *)
  Notation example := (list (R * vector)).

  Definition term (label : R * vector) : vector := fun c => fst label * snd label c.
  Definition loss_gradient (e : example) : vector := fun c => sum (fun label => term label c) e.
  Definition batch_gradient (batch : list example) : vector := fun c => mean (fun e => loss_gradient e c) batch.

  Definition own_squares (batch : list example) : R :=
    mean (sum (fun label => fst label ^ 2 * dot (snd label) (snd label))) batch.

  (* A_B and C_B, eqs 8 and 7: over ordered pairs of two places. *)
  Definition label_alignment (batch : list example) : R :=
    / INR (length batch) ^ 2 * sum (fun e => 2 * over_pairs (fun i j => dot (term i) (term j)) e) batch.
  Definition batch_alignment (batch : list example) : R :=
    / INR (length batch) ^ 2 * (2 * over_pairs (fun e f => dot (loss_gradient e) (loss_gradient f)) batch).

  (* D9.a: (h/4) |grad L_B|^2 = (h/(4 B)) ((1/B) sum eps^2 |grad f^i|^2) + (h/4) A_B + (h/4) C_B. *)
  Theorem gradient_regulariser h batch : batch <> [] ->
    h / 4 * dot (batch_gradient batch) (batch_gradient batch)
    = h / (4 * INR (length batch)) * own_squares batch + h / 4 * label_alignment batch + h / 4 * batch_alignment batch.
  Proof.
    intros nonempty. pose proof (length_pos batch nonempty) as n_pos. set (n := INR (length batch)) in *.
    assert (dot (batch_gradient batch) (batch_gradient batch)
      = / n ^ 2 * dot (fun c => sum (fun e => loss_gradient e c) batch) (fun c => sum (fun e => loss_gradient e c) batch))
      as ->.
    { unfold vectors.dot. rewrite <- sum_scal. apply sum_eq. intros c _. unfold batch_gradient, mean. fold n. cbv beta.
      field. lra. }
    rewrite square_of_sum. rewrite (sum_eq (fun e => dot (loss_gradient e) (loss_gradient e))
      (fun e => sum (fun label => fst label ^ 2 * dot (snd label) (snd label)) e
        + 2 * over_pairs (fun i j => dot (term i) (term j)) e)).
    2: { intros e _. unfold loss_gradient. rewrite square_of_sum. f_equal. apply sum_eq. intros label _.
      unfold term. rewrite dot_scal. ring. }
    rewrite sum_plus. unfold own_squares, label_alignment, batch_alignment, mean. fold n. field. lra.
  Qed.
End Batch.
